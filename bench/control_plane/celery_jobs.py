# SPDX-License-Identifier: Apache-2.0
"""The no-op job as Celery has it: celery -A celery_jobs worker; $RIVAL_REDIS names the server."""

import os

from celery import Celery

app = Celery("celery_jobs", broker=os.environ["RIVAL_REDIS"])
app.conf.task_ignore_result = True


@app.task
def noop(number: int) -> int:
    return number
