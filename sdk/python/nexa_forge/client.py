# SPDX-License-Identifier: Apache-2.0
"""The client of a Nexa Forge server."""

from __future__ import annotations

import math
import os
import time
import urllib.parse
from typing import Any, Iterator, List, Mapping, Optional, Union

from .connection import Connection, find_key, find_url
from .errors import APIConnectionError, InternalServerError, JobError, JobTimeoutError, NexaError, WrongKindError
from .models import (
    ArtifactLineage,
    ArtifactView,
    BillingAccount,
    BillingSummary,
    BillingTrends,
    BudgetView,
    DeploymentView,
    Invoice,
    JobCost,
    JobCostRow,
    JobEstimate,
    JobSubmitted,
    JobView,
)
from .uploads import upload

POLL_MIN_SECONDS = 0.2
POLL_MAX_SECONDS = 2.0
OUTAGE_MAX_SECONDS = 60.0
CHAT_SECONDS = 600.0
ENDED_BADLY = ("failed", "cancelled")


def _path(collection: str, name: str, below: str = "") -> str:
    return f"/{collection}/{urllib.parse.quote(name, safe='')}{below}"


class NexaForgeClient:
    """Makes, audits and distills datasets, trains and evaluates models and serves them, on a server that does the work.

    A job's method returns as soon as the job is accepted; `wait` waits for its end. Whatever a job type takes beyond the named
    parameters is given by its name too (`client.train(…, batch_size=8)`): the server knows them all and refuses others, with
    the near name. Threads may share a client.

    api_key: else NEXA_API_KEY; base_url: else NEXA_API_URL, else http://localhost:8000/api; timeout: seconds without a byte
    from the server; max_retries: of calls that found no server or a busy one. Raises ConfigurationError for no key or no
    address, and from every method what `nexa_forge.errors` names.
    """

    def __init__(
        self,
        api_key: Optional[str] = None,
        base_url: Optional[str] = None,
        *,
        timeout: float = 60.0,
        max_retries: int = 2,
    ):
        self._connection = Connection(find_url(base_url), find_key(api_key), timeout, max_retries)

    # ---- jobs, one method for each type ----

    def generate(self, domain: str, num_samples: int, **options: Any) -> JobSubmitted:
        """Makes a dataset of `num_samples` rows about a subject; some subjects need `teacher` or `dataset_uri`."""
        return self.submit("generate", {"domain": domain, "num_samples": num_samples, **options})

    def audit(self, dataset_uri: str, **options: Any) -> JobSubmitted:
        """Scores every row of a dataset, and the whole of it (0 to 5, tiers A+ to F)."""
        return self.submit("audit", {"dataset_uri": dataset_uri, **options})

    def distill(
        self, dataset_uri: str, teacher_model: str, student_model: Optional[str] = None, **options: Any
    ) -> JobSubmitted:
        """Has a teacher answer the prompts of a dataset, and keeps the good answers for a student to learn from."""
        spec = {"dataset_uri": dataset_uri, "teacher_model": teacher_model, **options}
        if student_model is not None:
            spec["student_model"] = student_model
        return self.submit("distill", spec)

    def train(self, model_id: str, dataset_uri: str, epochs: float = 3, **options: Any) -> JobSubmitted:
        """Trains a model from a preset, or trains a checkpoint on."""
        return self.submit("train", {"model_id": model_id, "dataset_uri": dataset_uri, "epochs": epochs, **options})

    def evaluate(self, model_id: str, benchmark: str = "heldout", **options: Any) -> JobSubmitted:
        """Measures a model on rows that it was not trained on: those that `dataset_uri`, or its own training, held out."""
        return self.submit("evaluate", {"model_id": model_id, "benchmark": benchmark, **options})

    def deploy(self, model_id: str, region: str = "local", **options: Any) -> JobSubmitted:
        """Serves a model behind an OpenAI-compatible endpoint, until `undeploy`. name: as what clients ask for it."""
        return self.submit("deploy", {"model_id": model_id, "region": region, **options})

    def submit(self, job_type: str, spec: Mapping[str, Any]) -> JobSubmitted:
        """Any job by its type's name: what the methods above do."""
        return self._connection.json("POST", _path("jobs", job_type), spec)

    def estimate(self, job_type: str, spec: Mapping[str, Any]) -> JobEstimate:
        """What such a job would be, take and cost, going by those before it, and what it would wait for. Makes none."""
        return self._connection.json("POST", _path("jobs", job_type, "/estimate"), spec)

    # ---- what becomes of them ----

    def get_job(self, job_id: str) -> JobView:
        """The job's state, and its result or error once it has ended."""
        return self._connection.json("GET", _path("jobs", job_id))

    def list_jobs(self, *, status: Optional[str] = None, job_type: Optional[str] = None) -> Iterator[JobView]:
        """All of one's jobs, newest first; pages are fetched as they are needed."""
        return self._pages("/jobs", status=status, job_type=job_type)

    def wait(self, job: Union[str, Mapping[str, Any]], timeout: Optional[float] = None) -> JobView:
        """Waits until a job (its id, or what a job's method returned) has completed, and returns it.

        Goes on waiting while the server is away for less than a minute. Raises JobError if the job failed or was cancelled,
        and JobTimeoutError after `timeout` seconds; the job goes on then.
        """
        job_id = job if isinstance(job, str) else job["job_id"]
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        pause = POLL_MIN_SECONDS
        heard_at = time.monotonic()
        status = "without an answer"
        while True:
            try:
                view = self.get_job(job_id)
                heard_at = time.monotonic()
                status = view["status"]
                if status == "completed":
                    return view
                if status in ENDED_BADLY:
                    raise JobError(view)
            except (APIConnectionError, InternalServerError):
                if time.monotonic() - heard_at > OUTAGE_MAX_SECONDS:
                    raise
            left = deadline - time.monotonic()
            if left <= 0:
                raise JobTimeoutError(f"job {job_id} is still {status} after {timeout:g} s; it goes on")
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, POLL_MAX_SECONDS)

    def cancel_job(self, job_id: str) -> JobView:
        """Ends a job; one that is running is told to stop."""
        return self._connection.json("POST", _path("jobs", job_id, "/cancel"), {})

    def retry_job(self, job_id: str) -> JobSubmitted:
        """Makes a failed or cancelled job again, as a new one whose `retry_of` names it."""
        return self._connection.json("POST", _path("jobs", job_id, "/retry"), {})

    def clone_job(self, job_id: str, **changes: Any) -> JobSubmitted:
        """Makes a job like another, with these fields of its spec changed."""
        return self._connection.json("POST", _path("jobs", job_id, "/clone"), {"payload": changes})

    def job_logs(self, job_id: str) -> str:
        """What the job's engine wrote so far."""
        return self._connection.read(_path("jobs", job_id, "/logs")).decode("utf-8", errors="replace")

    # ---- data, models, deployments, money ----

    def upload(self, path: Union[str, os.PathLike], name: str = "", kind: str = "dataset") -> ArtifactView:
        """Sends a file, or a folder with all below it; jobs take the `artifact_id` of what is returned.

        kind: dataset or checkpoint. Without TLS the server stops the sending of what it has already. Links in a folder are refused.
        """
        return upload(self._connection, path, name, kind)

    def get_artifact(self, artifact_id: str) -> ArtifactView:
        """What it is, which job made it, and its files with their hashes."""
        return self._connection.json("GET", _path("artifacts", artifact_id))

    def get_dataset_uri(self, artifact_id: str) -> str:
        """The URI of a dataset, to name it in a job. Raises NotFoundError if there is none with that id."""
        return self._uri_of(artifact_id, "dataset", "distill")

    def get_checkpoint_uri(self, artifact_id: str) -> str:
        """The URI of a model's weights, to name it in a job. Raises NotFoundError if there is none with that id."""
        return self._uri_of(artifact_id, "checkpoint")

    def get_eval_uri(self, artifact_id: str) -> str:
        """The URI of an evaluation. Raises NotFoundError if there is none with that id."""
        return self._uri_of(artifact_id, "eval")

    def get_lineage(self, artifact_id: str) -> ArtifactLineage:
        """What an artifact was made from, and what was made from it, nearest first."""
        return self._connection.json("GET", _path("artifacts", artifact_id, "/lineage"))

    def delete_artifact(self, artifact_id: str) -> None:
        """Deletes an artifact. Raises ConflictError while a job that has not ended or a deployment needs it."""
        self._connection.json("DELETE", _path("artifacts", artifact_id))

    def read_artifact(self, artifact_id: str, path: str) -> bytes:
        """The bytes of one of its files, whole."""
        return self._connection.read(_path("artifacts", artifact_id, f"/files/{urllib.parse.quote(path)}"))

    def list_artifacts(self, *, kind: Optional[str] = None, job_id: Optional[str] = None) -> Iterator[ArtifactView]:
        """All of one's artifacts, newest first."""
        return self._pages("/artifacts", kind=kind, job_id=job_id)

    def get_deployment(self, deployment_id: str) -> DeploymentView:
        """Where a model is served, and by which gateways."""
        return self._connection.json("GET", _path("deployments", deployment_id))

    def list_deployments(self, *, live: Optional[bool] = None) -> Iterator[DeploymentView]:
        """All of one's deployments, newest first; live: only those that are served, or only the others."""
        return self._pages("/deployments", live=None if live is None else str(live).lower())

    def undeploy(self, deployment_id: str) -> DeploymentView:
        """Stops serving a model."""
        return self._connection.json("DELETE", _path("deployments", deployment_id))

    def chat(
        self,
        deployment: Union[str, Mapping[str, Any]],
        messages: List[Mapping[str, str]],
        *,
        timeout: float = CHAT_SECONDS,
        **options: Any,
    ) -> Mapping[str, Any]:
        """A chat completion of a deployed model (its dp_… id, or the result of its deploy job), as OpenAI's API answers it.

        Looks up where the model is, then asks there; not again if the answer is lost, since it was paid for. To stream, and
        to save the looking up, take any client of OpenAI's API: `base_url` is the deployment's `inference_url`, `model` its
        `name`, the key the same. timeout: seconds without a byte from the gateway.
        """
        if options.get("stream"):
            raise NexaError("chat() answers whole; a client of OpenAI's API streams from the deployment's inference_url")
        view = self.get_deployment(deployment if isinstance(deployment, str) else deployment["deployment_id"])
        url = view.get("inference_url")
        if view["state"] != "ready" or not url:
            raise NexaError(f"{view['deployment_id']} is {view['state']}: no gateway serves it")
        body = {"model": view["name"], "messages": messages, **options}
        return self._connection.json_elsewhere(f"{url}/chat/completions", body, timeout)

    def billing_summary(self, *, month: Optional[str] = None, key_id: Optional[str] = None) -> BillingSummary:
        """What was used in a month ("2026-10"; default: this one), and what it costs; of one API key alone, if it is named."""
        return self._connection.json("GET", "/billing/summary", query={"month": month, "key_id": key_id})

    def billing_trends(self, *, interval: str = "day", month: Optional[str] = None) -> BillingTrends:
        """The same by the hour or day; the parts add up to the summary."""
        return self._connection.json("GET", "/billing/trends", query={"interval": interval, "month": month})

    def job_costs(self, *, month: Optional[str] = None, job_type: Optional[str] = None) -> Iterator[JobCostRow]:
        """What each job of a month cost, newest first."""
        return self._pages("/billing/jobs", month=month, job_type=job_type)

    def job_cost(self, job: Union[str, Mapping[str, Any]]) -> JobCost:
        """What one job cost, by meter; of one that runs, what is known of it so far."""
        job_id = job if isinstance(job, str) else job["job_id"]
        return self._connection.json("GET", _path("jobs", job_id, "/cost"))

    def invoices(self) -> List[Invoice]:
        """The project's invoices, the newest month first."""
        return self._connection.json("GET", "/billing/invoices")["data"]

    def billing_account(self) -> BillingAccount:
        """What the project owes, and whether a payment failed."""
        return self._connection.json("GET", "/billing/account")

    def budgets(self) -> List[BudgetView]:
        """What the project and its keys may spend in a month, and how much of it is spent."""
        return self._connection.json("GET", "/billing/budgets")["data"]

    def set_budget(
        self,
        monthly_amount: Union[str, int],
        *,
        key_id: Optional[str] = None,
        alert_percents: Optional[List[int]] = None,
        hard_stop: bool = False,
    ) -> List[BudgetView]:
        """Sets the project's budget, or a key's, in dollars a month; with hard_stop, new jobs are refused once it is spent."""
        path = _path("billing/budgets/keys", key_id) if key_id else "/billing/budgets/project"
        body = {"monthly_amount": str(monthly_amount), "hard_stop": hard_stop}
        if alert_percents is not None:
            body["alert_percents"] = alert_percents
        return self._connection.json("PUT", path, body)["data"]

    def _uri_of(self, artifact_id: str, *kinds: str) -> str:
        artifact = self.get_artifact(artifact_id)
        if artifact["kind"] not in kinds:
            raise WrongKindError(f"{artifact_id} is a {artifact['kind']}, not a {' or '.join(kinds)}")
        return artifact["uri"]

    def _pages(self, path: str, **filters: Optional[str]) -> Iterator[Any]:
        after = None
        while True:
            page = self._connection.json("GET", path, query={**filters, "limit": 100, "after": after})
            yield from page["data"]
            if not page["has_more"]:
                return
            after = page["next_cursor"]
