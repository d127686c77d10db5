# SPDX-License-Identifier: Apache-2.0
"""A server that speaks the part of Stripe's protocol that we use, as strictly as Stripe does, with a memory to look into."""

import hashlib
import hmac
import http.server
import json
import threading
import time
import urllib.parse

KEY = "sk_test_nexa_functional"
WEBHOOK_SECRET = "whsec_functional_tests"


def signature(payload: bytes, at: float | None = None, secret: str = WEBHOOK_SECRET) -> str:
    moment = int(time.time() if at is None else at)
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={moment},v1={mac}"


class Refusal(Exception):
    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class Stripe:
    """What an account there holds, and how it is to misbehave."""

    def __init__(self):
        self.lock = threading.Lock()
        self.customers, self.invoices, self.items, self.meter_events = {}, {}, {}, {}
        self.answers = {}      # by idempotency key: (request, status, body)
        self.requests = []     # (path, idempotency key)
        self.drop_answers = 0  # act, and hang up instead of answering
        self.refusals = []     # statuses to answer with, without acting
        stripe = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                form = urllib.parse.parse_qsl(self.rfile.read(length).decode(), strict_parsing=length > 0)
                answer = stripe.take(self.path, self.headers, form)
                if answer is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                body = json.dumps(answer[1]).encode()
                self.send_response(answer[0])
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def take(self, path: str, headers, form):
        with self.lock:
            key = headers.get("Idempotency-Key")
            self.requests.append((path, key))
            if self.refusals:
                return self.refusals.pop(0), {"error": {"message": "try later", "type": "api_error"}}
            status, body = self._once(path, headers, form, key)
            if self.drop_answers > 0:
                self.drop_answers -= 1
                return None
            return status, body

    def _once(self, path, headers, form, key):
        if headers.get("Authorization") != f"Bearer {KEY}":
            return 401, {"error": {"message": "Invalid API Key provided", "type": "invalid_request_error"}}
        request = (path, form)
        if key in self.answers:
            before, status, body = self.answers[key]
            if before != request:
                message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
                return 400, {"error": {"message": message, "type": "idempotency_error"}}
            return status, body
        try:
            status, body = 200, self._act(path, form)
        except Refusal as refusal:
            status, body = refusal.status, {"error": {"message": str(refusal), "type": "invalid_request_error"}}
        if key:
            self.answers[key] = (request, status, body)
        return status, body

    def _act(self, path, pairs):
        form = dict(pairs)
        assert len(form) == len(pairs), pairs
        metadata = {name[9:-1]: value for name, value in form.items() if name.startswith("metadata[")}
        if path == "/v1/customers":
            return self._keep(self.customers, "cus", {"name": form["name"], "metadata": metadata})
        if path == "/v1/invoices":
            self._known(self.customers, form["customer"])
            return self._keep(
                self.invoices, "in",
                {"customer": form["customer"], "currency": form["currency"], "status": "draft", "metadata": metadata},
            )
        if path == "/v1/invoiceitems":
            invoice = self._known(self.invoices, form["invoice"])
            if invoice["status"] != "draft" or invoice["customer"] != form["customer"]:
                raise Refusal(400, "items go on drafts of the same customer")
            return self._keep(self.items, "ii", {"invoice": form["invoice"], "amount": int(form["amount"])})
        if path.startswith("/v1/invoices/") and path.endswith("/finalize"):
            invoice = self._known(self.invoices, path.split("/")[3])
            if invoice["status"] != "draft":
                raise Refusal(400, "this invoice is already finalized")
            invoice["status"] = "open"
            invoice["amount_due"] = sum(item["amount"] for item in self.items.values() if item["invoice"] == invoice["id"])
            invoice["hosted_invoice_url"] = f"{self.url}/pay/{invoice['id']}"
            return dict(invoice)
        if path == "/v1/billing/meter_events":
            self._known(self.customers, form["payload[stripe_customer_id]"])
            if form["identifier"] in self.meter_events:
                raise Refusal(400, "an event with this identifier exists")
            self.meter_events[form["identifier"]] = {
                "event_name": form["event_name"], "value": int(form["payload[value]"]), "customer": form["payload[stripe_customer_id]"],
            }
            return {"object": "billing.meter_event", "identifier": form["identifier"]}
        raise Refusal(404, f"Unrecognized request URL (POST: {path})")

    @staticmethod
    def _known(things, name):
        if name not in things:
            raise Refusal(404, f"No such object: '{name}'")
        return things[name]

    @staticmethod
    def _keep(things, prefix, thing):
        thing["id"] = f"{prefix}_{len(things) + 1}"
        things[thing["id"]] = thing
        return dict(thing)


def event(number: int, kind: str, thing: dict) -> bytes:
    return json.dumps({
        "id": f"evt_{number}", "object": "event", "type": kind, "created": int(time.time()), "data": {"object": thing},
    }).encode()
