// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

/// NEXA_PROVES("A-18 A-19"): this test would fail if these rows of docs/requirements.md were
/// broken.
/// `./dev requirements` collects the ids from the test results.
#define NEXA_PROVES(rows) ::testing::Test::RecordProperty("rows", rows)
