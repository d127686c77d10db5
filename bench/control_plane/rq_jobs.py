# SPDX-License-Identifier: Apache-2.0
"""The no-op job as RQ has it."""


def noop(number: int) -> int:
    return number
