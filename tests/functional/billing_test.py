# SPDX-License-Identifier: Apache-2.0
"""Money: what jobs cost, over time and while they run, invoices, refunds, budgets, and payment by Stripe."""

import csv
import datetime
import io
import json
import os
from decimal import Decimal

import pytest
from conftest import LONG_ECHO, Client, Nexad, run_cli, wait_until
from stripe_server import KEY, WEBHOOK_SECRET, Stripe, event, signature

UTC = datetime.timezone.utc


def project_of(client: Client) -> str:
    return client.get("/api/projects").json["data"][0]["project_id"]


def last_month() -> datetime.datetime:
    """A moment in the middle of it."""
    return (datetime.datetime.now(UTC).replace(day=1) - datetime.timedelta(days=10)).replace(hour=12)


def use(client: Client, answer: str, tokens: int, at: datetime.datetime | None = None, key: str = "key_elsewhere"):
    """What a gateway reports: `tokens` read, at 10 dollars a million."""
    line = {
        "id": answer, "at": (at or datetime.datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"), "key_id": key,
        "project_id": project_of(client), "deployment_id": "dp_1", "prompt_tokens": tokens, "completion_tokens": 0,
    }
    reply = client.post("/api/gateway/usage", {"lines": [line]})
    assert reply.status == 200, reply.body


def closed(client: Client, month: datetime.datetime) -> list[dict]:
    reply = client.post("/api/billing/close", {"month": month.strftime("%Y-%m")})
    assert reply.status == 200, reply.body
    return reply.json["data"]


def sound(client: Client) -> bool:
    return client.get("/api/billing/ledger/check").json["is_sound"]


@pytest.fixture
def nexa(nexad):
    def run(*words: str, code: int = 0) -> str:
        done = run_cli(nexad, *words)
        assert done.returncode == code, done.stderr
        return done.stdout

    return run


@pytest.fixture
def accelerator(tmp_path, monkeypatch):
    """Workers that are started from now on find one, by a driver's tool of ours."""
    folder = tmp_path / "tools"
    folder.mkdir()
    tool = folder / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA Test, 1024'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_trends_and_jobs_add_up_to_the_summary(nexad, start_worker, nexa):
    client = nexad.client()
    start_worker(nexad)
    job_id = client.submit("echo", {"message": "x", "output_bytes": 1_000_000})
    client.wait_for(job_id, "completed")
    use(client, "chatcmpl-1", 123_457)
    until = datetime.datetime.now(UTC) + datetime.timedelta(seconds=2)
    asked = f"from={(until - datetime.timedelta(hours=5)).strftime('%Y-%m-%dT%H:%M:%SZ')}&until={until.strftime('%Y-%m-%dT%H:%M:%SZ')}"
    wait_until(lambda: datetime.datetime.now(UTC) > until, 10, "the end of the period")
    summary = client.get(f"/api/billing/summary?{asked}").json
    assert Decimal(summary["total_cost"]) == sum(Decimal(cost) for cost in summary["cost_by_job_type"].values()) > 1
    for interval, parts in (("hour", (5, 6)), ("day", (1, 2))):
        trends = client.get(f"/api/billing/trends?{asked}&interval={interval}").json
        assert len(trends["data"]) in parts
        assert sum(Decimal(part["cost"]) for part in trends["data"]) == Decimal(summary["total_cost"])
        assert trends["total_cost"] == summary["total_cost"]
        tokens = sum(part["usage_by_type"].get("input_tokens", 0) for part in trends["data"])
        assert tokens == summary["usage_by_type"]["input_tokens"] == 123_457
    assert [row["job_id"] for row in client.get("/api/billing/jobs").json["data"]] == [job_id]
    cost = client.get(f"/api/jobs/{job_id}/cost").json
    assert not cost["is_estimate"]
    assert {line["meter"] for line in cost["lines"]} >= {"cpu_seconds", "gpu_seconds", "stored_bytes"}
    assert {line["rate_card"] for line in cost["lines"]} == {"platform-1"}
    assert client.get("/api/jobs/job_nobodys/cost").status == 404
    assert client.get("/api/billing/trends?interval=week").json["param"] == "interval"
    assert client.get("/api/billing/summary?month=2026-13").json["param"] == "month"
    assert client.get("/api/billing/summary?key_id=key_elsewhere").json["usage_by_type"] == {"input_tokens": 123_457, "output_tokens": 0}
    assert json.loads(nexa("billing", "jobs", "--json"))["data"][0]["job_id"] == job_id
    assert "total" in nexa("billing", "summary")
    assert "total" in nexa("billing", "trends", "--by", "day", "--month", until.strftime("%Y-%m"))
    assert "cpu_seconds" in nexa("billing", "job", job_id)
    assert "sum" in nexa("billing", "check")


def test_a_job_that_holds_an_accelerator_pays_for_it_and_costs_more_the_longer_it_runs(nexad, start_worker, accelerator):
    client = nexad.client()
    start_worker(nexad, "worker", "--slots", "1")
    long = client.submit("echo", {"payload": LONG_ECHO, "gpus": 1})
    client.wait_for(long, "running")

    def cost() -> Decimal:
        shown = client.get(f"/api/jobs/{long}/cost").json
        assert shown["is_estimate"]
        return Decimal(shown["total_cost"])

    before = cost()
    wait_until(lambda: cost() > before, 30, "a higher cost")
    client.post(f"/api/jobs/{long}/cancel")
    client.wait_for(long, "cancelled")
    assert client.get(f"/api/jobs/{long}/cost").json["lines"] == []  # what was not completed is not charged

    short = client.submit("echo", {"payload": {"message": "x", "seconds": 2, "events": 20}, "gpus": 1})
    job = client.wait_for(short, "completed")
    [line] = [line for line in client.get(f"/api/jobs/{short}/cost").json["lines"] if line["meter"] == "gpu_seconds"]
    moments = [datetime.datetime.fromisoformat(job[name].replace("Z", "+00:00")) for name in ("started_at", "finished_at")]
    assert 2 <= line["quantity"] <= (moments[1] - moments[0]).total_seconds() + 30
    assert abs(Decimal(line["cost"]) - Decimal(line["quantity"]) * Decimal("2.5") / 3600) <= Decimal("0.000002")


def test_a_month_is_closed_once_into_an_invoice_to_read_print_and_count(nexad, nexa):
    client = nexad.client()
    this_month = datetime.datetime.now(UTC)
    assert client.post("/api/billing/close", {"month": this_month.strftime("%Y-%m")}).json.get("data", []) == []
    use(client, "chatcmpl-1", 1_234_567, last_month())
    use(client, "chatcmpl-2", 55, last_month())
    assert client.post("/api/billing/close", {"month": this_month.strftime("%Y-%m")}).status == 409
    [invoice] = closed(client, last_month())
    assert invoice["total"] == "12.350000"  # 12.34567 and 0.00055, rounded up to cents
    assert sum(line["amount_microusd"] for line in invoice["lines"]) == invoice["total_microusd"]
    assert [line["kind"] for line in invoice["lines"]] == ["charge", "rounding"]
    assert closed(client, last_month()) == [invoice]
    assert client.get("/api/billing/invoices").json["data"] == [invoice]
    path = f"/api/billing/invoices/{invoice['invoice_id']}"
    assert client.get(path).json == invoice
    page = client.get(f"{path}?format=html")
    assert page.headers["Content-Type"].startswith("text/html")
    assert invoice["number"] in page.body.decode() and "12.350000" in page.body.decode()
    rows = list(csv.DictReader(io.StringIO(client.get(f"{path}?format=csv").body.decode())))
    assert sum(Decimal(row["amount_usd"]) for row in rows[:-1]) == Decimal(rows[-1]["amount_usd"]) == Decimal("12.35")
    assert client.get(f"{path}?format=pdf").json["param"] == "format"
    assert client.get("/api/billing/account").json["unpaid_invoices"] == [invoice["invoice_id"]]

    reply = client.post(f"{path}/pay", {"reference": "bank transfer"})
    assert reply.json["state"] == "paid"
    assert client.post(f"{path}/pay", {"reference": "bank transfer"}).json == reply.json
    account = client.get("/api/billing/account").json
    assert (account["balance"], account["unpaid_invoices"]) == ("0.000000", [])
    assert sound(client)
    assert "12.350000" in nexa("billing", "invoices")
    assert nexa("billing", "invoice", invoice["invoice_id"], "--format", "csv").startswith("invoice,month")
    assert "paid" in nexa("billing", "close", last_month().strftime("%Y-%m"))
    actions = [entry["action"] for entry in client.get("/api/audit-trail?limit=100").json["data"]]
    assert actions.count("invoice.created") == actions.count("invoice.paid") == 1


def test_a_refund_is_made_once_and_never_above_what_was_charged(nexad, nexa):
    client = nexad.client()
    use(client, "chatcmpl-1", 1_000_000)
    wish = {"job_id": "chatcmpl-1", "amount": "4.00", "reason": "slow"}
    made = client.post("/api/billing/refunds", wish, headers={"Idempotency-Key": "once"})
    assert made.status == 201, made.body
    assert client.post("/api/billing/refunds", wish, headers={"Idempotency-Key": "once"}).json == made.json
    other = client.post("/api/billing/refunds", {**wish, "amount": "5.00"}, headers={"Idempotency-Key": "once"})
    assert other.status == 409
    assert client.post("/api/billing/refunds", {**wish, "amount": "6.01"}).status == 422
    nexa("billing", "refund", "--job", "chatcmpl-1", "--reason", "the rest")
    assert client.post("/api/billing/refunds", wish).status == 422
    assert client.get("/api/billing/account").json["balance"] == "0.000000"
    kinds = [entry["kind"] for entry in client.get("/api/billing/ledger").json["data"]]
    assert kinds == ["refund", "refund", "charge"]
    # The charge itself stands as it was.
    assert client.get("/api/billing/summary").json["total_cost"] == "10.000000"
    assert sound(client)


def test_a_spent_budget_refuses_new_jobs_and_says_until_when(nexad, start_worker, nexa):
    client = nexad.client()
    start_worker(nexad, "worker", "--slots", "2")
    running = client.submit("echo", LONG_ECHO)
    workflow = {"name": "w", "steps": {"a": {"job_type": "echo", "spec": {"message": "x"}}}}
    schedule = client.post("/api/schedules", {"cron": "@yearly", "workflow": workflow}).json["schedule_id"]
    accepted = client.post("/api/jobs/echo", {"message": "x"}, headers={"Idempotency-Key": "before"})
    client.wait_for(running, "running")
    set_to = {"monthly_amount": "10", "alert_percents": [50, 100], "hard_stop": True}
    assert client.call("PUT", "/api/billing/budgets/project", set_to).status == 200
    use(client, "chatcmpl-1", 600_000)
    assert client.post("/api/jobs/echo", {"message": "x"}).status == 202
    use(client, "chatcmpl-2", 300_000)
    use(client, "chatcmpl-3", 100_000)
    use(client, "chatcmpl-4", 100_000)
    refused = client.post("/api/jobs/echo", {"message": "x"})
    assert refused.status == 402, refused.body
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json["param"] == "budget" and not refused.json["retryable"]
    assert "11.000000 of 10.000000" in refused.json["detail"]
    now = datetime.datetime.now(UTC)
    next_month = (now.replace(day=28) + datetime.timedelta(days=4)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    assert next_month.strftime("%Y-%m-%dT00:00:00") in refused.json["hint"]
    assert abs(int(refused.headers["Retry-After"]) - (next_month - now).total_seconds()) < 60
    # Whichever way work starts, and what is only asked about.
    for path, body in (
        ("/api/workflows", workflow), (f"/api/schedules/{schedule}/run", {}), ("/api/jobs/echo/estimate", {"message": "x"}),
        ("/api/jobs/echo?dry_run=true", {"message": "x"}),
    ):
        also = client.post(path, body)
        assert (also.status, also.json["param"]) == (402, "budget"), path
        assert "Retry-After" in also.headers
    # What was accepted goes on, and is found again by its idempotency key.
    again = client.post("/api/jobs/echo", {"message": "x"}, headers={"Idempotency-Key": "before"})
    assert (again.status, again.json["job_id"]) == (202, accepted.json["job_id"])
    assert client.job(running)["status"] == "running"
    client.wait_for(accepted.json["job_id"], "completed")
    # Each alert once, however much is charged behind it.
    alerts = [entry for entry in client.get("/api/audit-trail?action=budget.alert").json["data"]]
    assert sorted(int(entry["details"]["percent"]) for entry in alerts) == [50, 100]
    [budget] = client.get("/api/billing/budgets").json["data"]
    assert (budget["spent"], budget["is_spent"], budget["alerts_sent"]) == ("11.000000", True, [50, 100])
    assert "project" in nexa("billing", "budget", "ls")
    nexa("billing", "budget", "set", "20.50", "--hard-stop")
    assert client.post("/api/jobs/echo", {"message": "x"}).status == 202
    nexa("billing", "budget", "rm")
    assert client.get("/api/billing/budgets").json["data"] == []
    assert client.call("PUT", "/api/billing/budgets/project", {"monthly_amount": "-1"}).json["param"] == "monthly_amount"
    client.post(f"/api/jobs/{running}/cancel")


def test_a_month_that_lies_ahead_has_no_usage(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    client.wait_for(client.submit("echo", {"message": "x", "output_bytes": 1_000_000}), "completed")
    ahead = client.get("/api/billing/summary?month=2099-01").json
    assert ahead["total_cost"] == "0.000000"
    assert not any(ahead["usage_over_time"].values())


def test_a_keys_budget_stops_that_key_alone(nexad):
    client = nexad.client()
    made = client.post("/api/auth/api-keys", {"name": "narrow"}).json
    path = f"/api/billing/budgets/keys/{made['key_id']}"
    assert client.call("PUT", path, {"monthly_amount": "1", "hard_stop": True}).status == 200
    use(client, "chatcmpl-1", 100_000, key=made["key_id"])
    assert nexad.client(made["raw_key"]).post("/api/jobs/echo", {"message": "x"}).status == 402
    assert client.post("/api/jobs/echo", {"message": "x"}).status == 202
    assert client.call("DELETE", path).status == 204
    assert client.call("DELETE", path).status == 404


@pytest.fixture
def stripe():
    server = Stripe()
    yield server
    server.close()


@pytest.fixture
def start_paid(tmp_path, stripe):
    """Starts a server that is joined to Stripe; it is gone afterwards."""
    started = []

    def start(**settings: str) -> Nexad:
        environment = {
            "NEXA_STRIPE__SECRET_KEY": KEY, "NEXA_STRIPE__WEBHOOK_SECRET": WEBHOOK_SECRET, "NEXA_STRIPE__API_URL": stripe.url,
            **{f"NEXA_STRIPE__{name.upper()}": value for name, value in settings.items()},
        }
        started.append(Nexad(tmp_path / "server", environment=environment).start())
        return started[-1]

    yield start
    for server in started:
        server.stop()


def tell(client: Client, payload: bytes, header: str | None = None) -> int:
    return Client(client.base).post(
        "/api/billing/stripe/webhook", payload, headers={"Stripe-Signature": header or signature(payload)}
    ).status


@pytest.mark.rows("F-93", "T-15")
def test_an_invoice_goes_to_stripe_once_and_its_payments_change_the_account(start_paid, stripe):
    server = start_paid()
    client = server.client()
    use(client, "chatcmpl-1", 1_234_567, last_month())
    use(client, "chatcmpl-2", 2_000_000, last_month())
    # Stripe acts, and the answers are lost; then it is down.
    stripe.drop_answers = 2
    stripe.refusals = [500, 503]
    [invoice] = closed(client, last_month())
    path = f"/api/billing/invoices/{invoice['invoice_id']}"
    wait_until(lambda: client.get(path).json["payment_url"], 90, "the invoice at Stripe")
    assert len(stripe.customers) == len(stripe.invoices) == 1
    [there] = stripe.invoices.values()
    assert there["status"] == "open"
    assert there["amount_due"] == 3235 == invoice["total_microusd"] // 10_000
    assert closed(client, last_month())[0]["invoice_id"] == invoice["invoice_id"]
    assert client.get("/api/billing/account").json["stripe_customer_id"] in stripe.customers

    thing = {"id": there["id"], "amount_paid": 3235, "metadata": there["metadata"]}
    failed, paid = event(1, "invoice.payment_failed", thing), event(2, "invoice.paid", thing)
    # Nobody but Stripe says that something was paid.
    assert tell(client, paid, signature(paid, secret="whsec_another")) == 403
    assert tell(client, paid, signature(paid, at=1_700_000_000)) == 403
    assert tell(client, paid, "t=1,v1=") == 403
    assert tell(client, paid.replace(b"3235", b"9999"), signature(paid)) == 403
    assert client.get(path).json["state"] == "open"

    assert tell(client, failed) == 200
    assert client.get(path).json["state"] == "past_due"
    assert client.get("/api/billing/account").json["state"] == "past_due"
    for _ in range(3):
        assert tell(client, paid) == 200
    assert tell(client, event(3, "invoice.payment_succeeded", thing)) == 200
    # Reordered and replayed: an older failure, and the same again.
    assert tell(client, event(4, "invoice.payment_failed", thing)) == 200
    assert tell(client, failed) == 200
    assert client.get(path).json["state"] == "paid"
    account = client.get("/api/billing/account").json
    assert (account["state"], account["balance"]) == ("good", "0.000000")
    charge = {"id": "ch_1", "invoice": there["id"], "amount_refunded": 3235}
    assert tell(client, event(6, "charge.refunded", charge)) == 200
    assert tell(client, event(5, "charge.refunded", {**charge, "amount_refunded": 1000})) == 200
    assert tell(client, event(6, "charge.refunded", charge)) == 200
    assert client.get(path).json["state"] == "refunded"
    assert client.get("/api/billing/account").json["balance"] == "32.350000"
    kinds = [entry["kind"] for entry in client.get("/api/billing/ledger?limit=100").json["data"]]
    assert kinds.count("payment") == kinds.count("payout") == 1
    assert sound(client)
    assert tell(client, b"{}") == 422
    # Neither key is in any log.
    assert KEY not in server.log.read_text() and WEBHOOK_SECRET not in server.log.read_text()


def test_a_kill_in_the_middle_tells_stripe_nothing_twice(start_paid, stripe):
    server = start_paid()
    client = server.client()
    use(client, "chatcmpl-1", 1_000_000, last_month())
    stripe.refusals = [503] * 200  # down
    [invoice] = closed(client, last_month())
    wait_until(lambda: stripe.requests, 60, "the first attempt")
    server.kill()
    stripe.refusals = []
    server.start()
    path = f"/api/billing/invoices/{invoice['invoice_id']}"
    wait_until(lambda: client.get(path).json["payment_url"], 240, "the invoice at Stripe")
    assert len(stripe.customers) == len(stripe.invoices) == len(stripe.items) == 1
    assert next(iter(stripe.items.values()))["amount"] == 1000


@pytest.mark.rows("T-14")
def test_metered_usage_arrives_at_stripe_once_a_job(start_paid, stripe, start_worker, accelerator):
    server = start_paid(meter="nexa_cost")
    client = server.client()
    stripe.drop_answers = 3
    start_worker(server, "worker", "--slots", "1")
    jobs = [client.submit("echo", {"payload": {"message": "x"}, "gpus": 1}) for _ in range(2)]
    for number in range(3):
        use(client, f"chatcmpl-{number}", 1_000 * (number + 1))
        use(client, f"chatcmpl-{number}", 1_000 * (number + 1))  # as a gateway that heard no answer does
    for job_id in jobs:
        client.wait_for(job_id, "completed")
    wait_until(lambda: len(stripe.meter_events) == 5 and stripe.drop_answers == 0, 90, "five events")
    told = {name: sent["value"] for name, sent in stripe.meter_events.items()}
    costs = {job_id: Decimal(client.job(job_id)["cost_usd"]) for job_id in jobs}
    assert all(cost > 0 for cost in costs.values())
    assert told == {
        **{job_id: int(cost * 1_000_000) for job_id, cost in costs.items()},
        **{f"chatcmpl-{number}": 10_000 * (number + 1) for number in range(3)},
    }
    assert {sent["event_name"] for sent in stripe.meter_events.values()} == {"nexa_cost"}
    assert not stripe.invoices


def test_without_a_key_stripe_is_told_nothing_and_takes_nothing(nexad):
    client = nexad.client()
    use(client, "chatcmpl-1", 1_000_000, last_month())
    [invoice] = closed(client, last_month())
    assert invoice["stripe_invoice_id"] is None
    payload = event(1, "invoice.paid", {"id": "in_1"})
    assert tell(client, payload) == 404
