# SPDX-License-Identifier: Apache-2.0
"""The six calls of a model's life, for those who want no more: see nexa_forge for everything.

    from nexa import NexaClient

    client = NexaClient(api_key="...")
    job = client.audit("ds_123")
    print(client.status(job["job_id"])["status"])
"""

from __future__ import annotations

from typing import Optional

from nexa_forge import NexaForgeClient
from nexa_forge.models import JobSubmitted, JobView

__all__ = ["NexaClient"]


class NexaClient:
    """Each method is one call to the server, and returns what it answers. Keys, addresses and errors are NexaForgeClient's."""

    def __init__(self, api_key: Optional[str] = None, base_url: Optional[str] = None):
        self._client = NexaForgeClient(api_key, base_url)

    def audit(self, dataset_uri: str) -> JobSubmitted:
        """Scores a dataset."""
        return self._client.audit(dataset_uri)

    def distill(self, dataset_id: str, teacher: str = "openai/gpt-4o-mini") -> JobSubmitted:
        """Has a teacher answer the dataset's prompts."""
        return self._client.distill(dataset_id, teacher)

    def train(self, dataset_id: str, model: str = "Mistral-7B", epochs: float = 3) -> JobSubmitted:
        """Trains `model` on the dataset."""
        return self._client.train(model, dataset_id, epochs)

    def evaluate(self, checkpoint_id: str, dataset_id: Optional[str] = None) -> JobSubmitted:
        """Measures a checkpoint on the rows that the dataset holds out; by default the one it was trained on."""
        options = {} if dataset_id is None else {"dataset_uri": dataset_id}
        return self._client.evaluate(checkpoint_id, **options)

    def deploy(self, checkpoint_id: str) -> JobSubmitted:
        """Serves a checkpoint."""
        return self._client.deploy(checkpoint_id)

    def status(self, job_id: str) -> JobView:
        """The job's state, and its result or error."""
        return self._client.get_job(job_id)
