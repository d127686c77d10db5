# SPDX-License-Identifier: Apache-2.0
"""What the API answers, as types. Written by tools/sdk_models.py from schemas/openapi.json.

They are plain dictionaries at run time. A server that is newer may send more members than these.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, TypedDict


class _ArtifactKin(TypedDict):
    artifact_id: str  # The artifact
    kind: str  # dataset, distill, checkpoint, eval or deployment
    name: str  # For people
    root_digest: str  # Digest over its files
    distance: int  # Jobs between the two
    deleted: bool  # True: its files are no longer kept


class ArtifactKin(_ArtifactKin, total=False):
    job_id: Optional[str]  # Which job made it; null for an upload
    job_type: Optional[str]  # Of that job


class ArtifactLineage(TypedDict):
    artifact_id: str  # Whose
    ancestors: List[ArtifactKin]  # What it was made from, nearest first
    descendants: List[ArtifactKin]  # What was made from it, nearest first


class InputFile(TypedDict):
    path: str  # Relative, with /
    digest: str  # sha256:…
    size: int  # Of the file, in bytes


class _ArtifactView(TypedDict):
    artifact_id: str  # The artifact
    kind: str  # dataset, distill, checkpoint, eval or deployment
    name: str  # For people
    uri: str  # To name it in a job
    root_digest: str  # Digest over its files
    bytes: int  # In all, in bytes
    created_at: str  # When
    files: List[InputFile]  # Its files


class ArtifactView(_ArtifactView, total=False):
    job_id: Optional[str]  # Which job made it; null for an upload


class _BillingAccount(TypedDict):
    project_id: str  # Whose
    state: str  # good, or past_due: a payment failed
    balance: str  # Charged and not paid yet, in dollars
    currency: str  # USD
    unpaid_invoices: List[str]  # Their ids


class BillingAccount(_BillingAccount, total=False):
    stripe_customer_id: Optional[str]  # Stripe's id of the project


class BillingSummary(TypedDict):
    total_cost: str  # Sum of cost_by_type, in dollars
    currency: str  # USD
    period_start: str  # From
    period_end: str  # To
    rate_card: str  # Which rates were applied
    usage_by_type: Dict[str, float]  # Quantities by meter
    usage_over_time: Dict[str, float]  # Held, times hours: stored_gb_hours, deployment_hours
    cost_by_type: Dict[str, str]  # Dollars by meter
    cost_by_job_type: Dict[str, str]  # Dollars by job type


class BillingPart(TypedDict):
    start: str  # From
    end: str  # Up to
    cost: str  # Sum of cost_by_type, in dollars
    usage_by_type: Dict[str, float]  # Quantities by meter
    usage_over_time: Dict[str, float]  # Quantities held, times hours
    cost_by_type: Dict[str, str]  # Dollars by meter
    cost_by_job_type: Dict[str, str]  # Dollars by job type


class BillingTrends(TypedDict):
    period_start: str  # From
    period_end: str  # Up to
    interval: str  # hour or day
    total_cost: str  # Sum of the parts, in dollars
    currency: str  # USD
    data: List[BillingPart]  # Oldest first; parts without usage too


class _BudgetView(TypedDict):
    project_id: str  # Of which project
    monthly_amount: str  # Dollars a calendar month
    alert_percents: List[int]  # When it tells
    hard_stop: bool  # Refuses new jobs once it is spent
    month: str  # Which month `spent` is of
    spent: str  # Dollars in this month
    percent: float  # The same of monthly_amount
    is_spent: bool  # All of it
    resets_at: str  # When the next month begins
    alerts_sent: List[int]  # Which alerts this month had


class BudgetView(_BudgetView, total=False):
    key_id: Optional[str]  # Of this API key alone


class _DeploymentGateway(TypedDict):
    gateway_id: str  # The gateway
    url: str  # Where clients reach it
    state: str  # loading, ready or failed
    last_seen_at: str  # Of its newest report


class DeploymentGateway(_DeploymentGateway, total=False):
    message: str  # Why it failed


class _DeploymentView(TypedDict):
    deployment_id: str  # The deployment
    name: str  # Model name that clients ask for
    region: str  # Pool of gateways that serves it
    state: str  # loading, ready, failed or stopped
    job_id: str  # The job that deployed it
    created_at: str  # When
    updated_at: str  # When it was last deployed or stopped
    gateways: List[DeploymentGateway]  # Those that have it, as they reported


class DeploymentView(_DeploymentView, total=False):
    message: str  # Why it failed or was stopped
    inference_url: Optional[str]  # Base URL of the OpenAI API that serves it; null until one does


class InvoiceLine(TypedDict):
    kind: str  # charge, accrual, refund or rounding
    job_type: str  # Of which jobs
    meter: str  # What was counted
    rate_card: str  # Priced by
    quantity: float  # How much
    unit: str  # What quantity counts
    amount: str  # In dollars; below zero for what is given back
    amount_microusd: int  # The same in millionths of a dollar


class _Invoice(TypedDict):
    invoice_id: str  # To name it by
    number: str  # For people
    project_id: str  # Who owes it
    month: str  # For which calendar month (UTC)
    state: str  # open, past_due, paid, refunded or void
    currency: str  # USD
    total: str  # Sum of the lines, in whole cents
    total_microusd: int  # In millionths of a dollar
    lines: List[InvoiceLine]  # What it is made of
    created_at: str  # When the month was closed


class Invoice(_Invoice, total=False):
    paid_at: Optional[str]  # When
    stripe_invoice_id: Optional[str]  # Stripe's id of it
    payment_url: Optional[str]  # Where it can be paid


class CostLine(TypedDict):
    meter: str  # What was counted
    quantity: float  # How much
    rate_card: str  # Priced by
    cost: str  # In dollars
    cost_microusd: int  # The same in millionths of a dollar
    accrues: bool  # It grows with time, up to now here


class JobCost(TypedDict):
    job_id: str  # Whose cost
    job_type: str  # What kind of job
    status: str  # Of the job
    total_cost: str  # Sum of the lines, in dollars
    currency: str  # USD
    is_estimate: bool  # The job still runs: what it has used so far, as far as it is known
    refunded: str  # Given back, in dollars; not taken off total_cost
    lines: List[CostLine]  # By meter


class JobCostRow(TypedDict):
    job_id: str  # Which job
    job_type: str  # What kind
    user_id: str  # Whose
    key_id: str  # Submitted with
    charged_at: str  # When it completed
    cost: str  # In dollars, without what accrues by time


class EstimateInput(TypedDict):
    name: str  # dataset, model, teacher, validation
    artifact_id: str  # Where it comes from
    kind: str  # dataset, distill or checkpoint
    files: int  # How many
    bytes: int  # Of all files, in bytes


class EstimateRange(TypedDict):
    low: float  # One of ten takes less
    median: float  # Half of them take less
    high: float  # One of ten takes more


class MeterEstimate(TypedDict):
    meter: str  # trained_tokens, cpu_seconds, …
    low: float  # One of ten uses less
    median: float  # Half of them use less
    high: float  # One of ten uses more


class CostEstimate(TypedDict):
    low: str  # Dollars, with six decimals
    median: str  # Dollars, with six decimals
    high: str  # Dollars, with six decimals


class _JobEstimate(TypedDict):
    object: str  # job_estimate
    job_type: str  # What would run
    payload: Any  # The spec, with defaults
    inputs: List[EstimateInput]  # What it would read
    usage: List[MeterEstimate]  # By meter; empty: nothing is known
    rate_card: str  # The active one
    based_on: int  # Finished jobs that the numbers stand on
    basis: str  # What was compared, or why there are no numbers
    jobs_ahead: int  # Of this project, in the same pool
    workers_fitting: int  # That could take it
    workers_idle: int  # Of these, with no job now


class JobEstimate(_JobEstimate, total=False):
    seconds: Optional[EstimateRange]  # From its engine's first word to its end, without waiting; null: nothing is known, in s
    cost_usd: Optional[CostEstimate]  # Under the active rate card
    blocked_by: Optional[str]  # What it would wait for; null: nothing


class JobSubmitted(TypedDict):
    job_id: str  # To ask for later
    job_type: str  # As submitted
    status: str  # pending
    created_at: str  # When


class _EngineError(TypedDict):
    code: str  # One of the error codes
    message: str  # What went wrong


class EngineError(_EngineError, total=False):
    param: str  # Where: field, file and row
    hint: str  # What to do


class _EngineEvent(TypedDict):
    type: str  # progress, metric or log


class EngineEvent(_EngineEvent, total=False):
    phase: str  # What is being done
    done: int  # Units finished
    total: int  # Units in all; 0: unknown
    rate: float  # Units per second
    eta_seconds: Optional[float]  # Until the phase ends, in s
    unit: str  # rows, steps, tokens, samples
    message: str  # For people
    metrics: Dict[str, float]  # Numbers of this moment, by name


class _JobView(TypedDict):
    job_id: str  # The job
    job_type: str  # Its type
    status: str  # pending, assigned, running, completed, failed or cancelled
    created_at: str  # When it was submitted
    updated_at: str  # When its state last changed
    logs_uri: str  # Where its log is
    artifacts_uri: str  # Where what it made is
    user_id: str  # Who submitted it
    payload: Any  # What was asked, with defaults
    attempt: int  # How often it was given to a worker
    priority: int  # Lower runs first
    cancel_requested: bool  # True once a cancel was asked for
    cost_usd: str  # Cost under the active rate card, in dollars


class JobView(_JobView, total=False):
    result: Optional[Any]  # The job type's result
    error: Optional[EngineError]  # Why it failed
    name: Optional[str]  # For people
    worker_id: Optional[str]  # Who holds it
    started_at: Optional[str]  # First event of its engine
    finished_at: Optional[str]  # When it ended
    progress: Optional[EngineEvent]  # Newest progress event
    retry_of: Optional[str]  # The job it repeats
    status_reason: Optional[str]  # What it waits for, if it waits: one line


class _Refund(TypedDict):
    refund_id: str  # To name it by
    project_id: str  # To whom
    amount: str  # In dollars
    reason: str  # Why
    created_at: str  # When


class Refund(_Refund, total=False):
    job_id: Optional[str]  # For which job
