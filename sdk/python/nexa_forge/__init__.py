# SPDX-License-Identifier: Apache-2.0
"""Nexa Forge: data becomes an audited dataset, a trained and evaluated model and an endpoint, on a server of your own.

    from nexa_forge import NexaForgeClient

    client = NexaForgeClient()                    # the key is in NEXA_API_KEY
    job = client.generate(domain="arithmetic", num_samples=1000)
    dataset = client.wait(job)["result"]["dataset_id"]
"""

from .client import NexaForgeClient
from .errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    InternalServerError,
    JobError,
    JobTimeoutError,
    NexaError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
    WrongKindError,
)

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ConflictError",
    "InternalServerError",
    "JobError",
    "JobTimeoutError",
    "NexaError",
    "NexaForgeClient",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "UnprocessableEntityError",
    "WrongKindError",
]
