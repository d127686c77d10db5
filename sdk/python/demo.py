#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A model's whole life by the client alone: from a file of yours to an endpoint that answers.

    nexa up &
    NEXA_API_KEY=$(cat nexa-data/admin.key) python3 sdk/python/demo.py [--rows N] [--steps N]

Writes sums of two-digit numbers, has them audited, trains a teacher on them, distills it into a smaller student, measures both
and talks to the student. Training on two cores takes a minute or two.
"""

import argparse
import json
import random
import tempfile
from pathlib import Path

from nexa_forge import NexaForgeClient

TRAINING = {"batch_size": 64, "max_seq_len": 32, "learning_rate": 3e-3, "vocab_size": 280, "seed": 1}


def write_sums(file: Path, rows: int) -> None:
    """Chat rows, one a line: "12+30=" is answered by "42"."""
    numbers = random.Random(1)
    with file.open("w") as lines:
        for _ in range(rows):
            left, right = numbers.randint(10, 99), numbers.randint(10, 99)
            turns = [
                {"role": "user", "content": f"{left}+{right}="},
                {"role": "assistant", "content": str(left + right)},
            ]
            lines.write(json.dumps({"messages": turns}) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4000, help="sums to learn from")
    parser.add_argument("--steps", type=int, default=400, help="optimizer steps of each training, at most")
    options = parser.parse_args()
    client = NexaForgeClient()

    with tempfile.TemporaryDirectory() as folder:
        sums = Path(folder, "sums.jsonl")
        write_sums(sums, options.rows)
        dataset = client.upload(sums, name="sums")["artifact_id"]
    print(f"dataset     {dataset}", flush=True)

    audit = client.wait(client.audit(dataset))
    quality = audit["result"]
    print(f"audit       score {quality['overall_quality_score']:.2f}, tier {quality['quality_tier']}", flush=True)
    scored = next(client.list_artifacts(job_id=audit["job_id"]))
    print(f"scored rows {', '.join(file['path'] for file in scored['files'])}", flush=True)

    def trained(model: str, rows: str) -> str:
        job = client.train(model, rows, epochs=20, max_steps=options.steps, **TRAINING)
        return client.wait(job)["result"]["checkpoint_id"]

    def exact_match(model: str) -> float:
        job = client.evaluate(model, dataset_uri=dataset, max_samples=200, max_new_tokens=8)
        return client.wait(job)["result"]["scores"]["exact_match"]

    teacher = trained("nexa-small", dataset)
    print(f"teacher     {teacher}, right in {exact_match(teacher):.0%} of sums it has not seen", flush=True)

    distilled = client.wait(
        client.distill(dataset, teacher, selection="first", max_prompts=2000, max_new_tokens=8, seed=1)
    )["result"]["distilled_dataset_id"]
    print(f"distilled   {distilled}", flush=True)
    student = trained("nexa-tiny", distilled)
    print(f"student     {student}, right in {exact_match(student):.0%}", flush=True)

    deployed = client.wait(client.deploy(student))["result"]
    deployment = client.get_deployment(deployed["deployment_id"])
    print(f"endpoint    {deployment['inference_url']}, model {deployment['name']}", flush=True)
    reply = client.chat(deployed, [{"role": "user", "content": "20+22="}], max_tokens=8, temperature=0)
    print(f"20+22=      {reply['choices'][0]['message']['content']!r}", flush=True)
    print(f"cost        {client.billing_summary()['total_cost']} USD of this month", flush=True)
    client.undeploy(deployment["deployment_id"])


if __name__ == "__main__":
    main()
