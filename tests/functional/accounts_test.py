# SPDX-License-Identifier: Apache-2.0
"""More than one user: who sees what, who may what, how they sign in, how often they may ask, and what is remembered of it."""

import base64
import hashlib
import json
import os
import subprocess
import uuid

import pytest
from conftest import BUILD, Client, Nexad, digest_of, wait_until
from tiny_model import write_model

PASSWORD = "correct horse battery"
CHEAP = ("--set", "accounts.password_cost_log2=10")


@pytest.fixture
def start_nexad(tmp_path):
    """Starts a server whose passwords are cheap to check; it is gone afterwards."""
    started = []

    def start(*more: str) -> Nexad:
        started.append(Nexad(tmp_path / "server", *CHEAP, *more).start())
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def server(start_nexad):
    return start_nexad()


class Browser(Client):
    """A client that keeps the session's cookie and shows its CSRF token, as our pages do."""

    def __init__(self, base: str):
        super().__init__(base)
        self.cookie, self.csrf, self.project = None, None, None

    def call(self, method, path, body=None, headers=None, **more):
        headers = dict(headers or {})
        if self.cookie:
            headers.setdefault("Cookie", f"theme=dark; {self.cookie}")
        if self.csrf:
            headers.setdefault("X-Nexa-CSRF", self.csrf)
        if self.project:
            headers.setdefault("X-Nexa-Project", self.project)
        return super().call(method, path, body, headers, **more)

    def begin(self, path: str, body: dict):
        reply = self.post(path, body)
        if reply.status in (200, 201):
            self.cookie = reply.headers["Set-Cookie"].split(";")[0]
            self.csrf = reply.json["csrf_token"]
        return reply

    def log_in(self, user: str, password: str = PASSWORD):
        return self.begin("/api/auth/login", {"user": user, "password": password})


def invited(server: Nexad, name: str, **more) -> Browser:
    """A user whom the administrator invited, and who has come."""
    reply = server.client().post("/api/users", {"name": name, **more})
    assert reply.status == 201, reply.body
    browser = Browser(server.url)
    begun = browser.begin("/api/auth/set-up", {"setup_token": reply.json["setup_token"], "password": PASSWORD})
    assert begun.status == 200, begun.body
    return browser


class Tenant:
    """A user with a project of the own and a key in it."""

    def __init__(self, server: Nexad, name: str):
        self.browser = invited(server, name)
        self.project = self.browser.post("/api/projects", {"name": f"{name}s"}).json["project_id"]
        self.user = self.browser.get("/api/auth/session").json["user"]["user_id"]
        self.key = self.make_key(server)

    def make_key(self, server: Nexad, **wish) -> Client:
        made = self.browser.post("/api/auth/api-keys", {"name": "k", **wish})
        assert made.status == 201, made.body
        self.key_id = made.json["key_id"]
        return Client(server.url, made.json["raw_key"])

    def upload(self) -> str:
        content = b'{"prompt": "1+1=", "completion": "2"}\n' + uuid.uuid4().bytes.hex().encode()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert self.key.call("PUT", f"/api/blobs/{digest}", content).status == 204
        files = [{"path": "rows.jsonl", "digest": digest, "size": len(content)}]
        return self.key.post("/api/artifacts", {"kind": "dataset", "files": files}).json["artifact_id"]


def refusal(reply, *ids: str) -> tuple:
    """A problem document without what differs between any two requests."""
    body = {name: value for name, value in reply.json.items() if name not in ("request_id", "instance")}
    text = json.dumps(body, sort_keys=True)
    for one in ids:
        text = text.replace(one, "ID")
    return reply.status, text


def test_to_know_a_files_hash_is_not_to_have_it(server):
    ada, bob = Tenant(server, "ada"), Tenant(server, "bob")
    content = b"only ada has this\n"
    digest = digest_of(content)
    ada.key.upload(content)
    wish = {"files": [{"path": "stolen.txt", "digest": digest, "size": len(content)}]}
    unknown = digest_of(b"nobody has this")

    def answers(wanted: str) -> tuple:
        """What bob is told of a hash, without the hash."""
        named = {"files": [wish["files"][0] | {"digest": wanted}]}
        plan = bob.key.post(f"/api/blobs/{wanted}/plan", {"size": len(content)})
        guess = bob.key.call("PUT", f"/api/blobs/{wanted}", b"x" * len(content))
        return refusal(bob.key.post("/api/artifacts", named), wanted), plan.json, refusal(guess, wanted)[0]

    assert answers(digest) == answers(unknown)
    assert answers(digest)[0][0] == 404
    # Who has the file may store it too, and it is kept once.
    stored = ada.key.upload(content)
    mine = bob.key.upload(content)
    assert mine["root_digest"] == stored["root_digest"]
    assert bob.key.post(f"/api/blobs/{digest}/plan", {"size": len(content)}).json["state"] == "stored"


@pytest.mark.rows("T-57", "T-33", "F-33", "F-34", "F-43")
def test_two_users_see_only_what_is_their_own(server):
    ada, bob = Tenant(server, "ada"), Tenant(server, "bob")
    jobs = {who: who.key.submit("echo", {"message": "mine"}) for who in (ada, bob)}
    data = {who: who.upload() for who in (ada, bob)}
    for who in (ada, bob):
        for client in (who.key, who.browser):
            assert [job["job_id"] for job in client.get("/api/jobs").json["data"]] == [jobs[who]]
            assert [one["artifact_id"] for one in client.get("/api/artifacts").json["data"]] == [data[who]]
            assert [key["key_id"] for key in client.get("/api/auth/api-keys").json["data"]] == [who.key_id]
            assert [one["project_id"] for one in client.get("/api/projects").json["data"]] == [who.project]
            assert client.get("/api/deployments").json["data"] == []
        assert who.key.job(jobs[who])["user_id"] == who.user

    unknown = {"job": "job_" + "0" * 32, "ds": "ds_" + "0" * 32, "key": "key_" + "0" * 32, "prj": "prj_" + "0" * 32}
    probes = [
        ("GET", "/api/jobs/{}", jobs[bob], unknown["job"]),
        ("GET", "/status/{}", jobs[bob], unknown["job"]),
        ("GET", "/api/jobs/{}/events", jobs[bob], unknown["job"]),
        ("GET", "/api/jobs/{}/logs", jobs[bob], unknown["job"]),
        ("POST", "/api/jobs/{}/cancel", jobs[bob], unknown["job"]),
        ("GET", "/api/artifacts/{}", data[bob], unknown["ds"]),
        ("GET", "/api/artifacts/{}/manifest", data[bob], unknown["ds"]),
        ("GET", "/api/artifacts/{}/files/rows.jsonl", data[bob], unknown["ds"]),
        ("DELETE", "/api/auth/api-keys/{}", bob.key_id, unknown["key"]),
        ("POST", "/api/auth/api-keys/{}/roll", bob.key_id, unknown["key"]),
        ("GET", "/api/projects/{}/members", bob.project, unknown["prj"]),
        ("POST", "/api/projects/{}/members", bob.project, unknown["prj"]),
        ("DELETE", f"/api/projects/{{}}/members/{bob.user}", bob.project, unknown["prj"]),
    ]
    for method, path, theirs, nobodys in probes:
        body = {"user": "ada"} if path.endswith("/members") and method == "POST" else {} if method == "POST" else None
        for client in (ada.key, ada.browser):
            seen = refusal(client.call(method, path.format(theirs), body), theirs)
            assert seen[0] == 404, (method, path, seen)
            assert seen == refusal(client.call(method, path.format(nobodys), body), nobodys), (method, path)
    foreign = ada.key.post("/api/jobs/audit", {"dataset_uri": f"internal://{data[bob]}"})
    nothing = ada.key.post("/api/jobs/audit", {"dataset_uri": f"internal://{unknown['ds']}"})
    assert foreign.status == 404
    assert refusal(foreign, data[bob]) == refusal(nothing, unknown["ds"])
    # Nothing of it changed anything of Bob's.
    assert bob.key.job(jobs[bob])["status"] == "pending"
    assert bob.key.get(f"/api/artifacts/{data[bob]}").status == 200


@pytest.mark.rows("T-57")
def test_a_deployment_is_of_the_project_whose_job_made_it(server, start_worker, tmp_path):
    ada, bob = Tenant(server, "ada"), Tenant(server, "bob")
    write_model(tmp_path / "m/tiny")
    env = {**os.environ, "NEXA_API_URL": f"{server.url}/api", "NEXA_API_KEY": ada.key.key}
    pushed = subprocess.run(
        [BUILD / "bin/nexa", "--json", "artifact", "push", tmp_path / "m/tiny", "--kind", "checkpoint"],
        env=env, capture_output=True, text=True, timeout=120,
    )
    assert pushed.returncode == 0, pushed.stderr
    start_worker(server)  # the installation's: it works for all projects
    job_id = ada.key.submit("deploy", {"checkpoint_id": json.loads(pushed.stdout)["artifact_id"], "name": "tiny"})

    def deployed():
        assert ada.key.job(job_id)["status"] != "failed", ada.key.job(job_id)
        return ada.key.get("/api/deployments").json["data"]

    [mine] = wait_until(deployed, 120, "the deployment")
    theirs, nobodys = mine["deployment_id"], "dp_" + "0" * 32
    for client in (bob.key, bob.browser):
        assert client.get("/api/deployments").json["data"] == []
        for method in ("GET", "DELETE"):
            seen = refusal(client.call(method, f"/api/deployments/{theirs}"), theirs)
            assert seen[0] == 404
            assert seen == refusal(client.call(method, f"/api/deployments/{nobodys}"), nobodys)
    assert ada.browser.get(f"/api/deployments/{theirs}").json["deployment_id"] == theirs


def test_a_session_acts_in_the_project_it_names_and_in_no_others(server):
    ada, bob = Tenant(server, "ada"), Tenant(server, "bob")
    second = ada.browser.post("/api/projects", {"name": "second"}).json["project_id"]
    ada.browser.project = second
    job_id = ada.browser.submit("echo", {"message": "x"})
    assert [job["job_id"] for job in ada.browser.get("/api/jobs").json["data"]] == [job_id]
    assert ada.key.get("/api/jobs").json["data"] == []
    ada.browser.project = bob.project
    assert ada.browser.get("/api/jobs").status == 404
    ada.browser.project = "prj_nope"
    assert ada.browser.get("/api/jobs").status == 404


def test_a_role_is_what_a_member_and_all_the_members_keys_may(server):
    ada = Tenant(server, "ada")
    bob = invited(server, "bob")
    members = f"/api/projects/{ada.project}/members"
    bob_id = bob.get("/api/auth/session").json["user"]["user_id"]
    assert bob.get(members).status == 404
    added = ada.key.post(members, {"user": "bob", "role": "developer"})
    assert (added.status, added.json["role"], added.json["user_id"]) == (201, "developer", bob_id)
    assert ada.key.post(members, {"user": "bob"}).status == 409
    assert ada.key.post(members, {"user": "nobody"}).status == 404
    assert ada.key.post(members, {"user": "bob", "role": "boss"}).status == 422
    assert {one["name"]: one["role"] for one in bob.get(members).json["data"]} == {"ada": "owner", "bob": "developer"}

    bob.project = ada.project
    bobs_key = Client(server.url, bob.post("/api/auth/api-keys", {"name": "k"}).json["raw_key"])
    job_id = ada.key.submit("echo", {"message": "shared"})
    for client in (bob, bobs_key):
        assert client.get(f"/api/jobs/{job_id}").status == 200
        assert client.post("/api/jobs/echo", {"message": "x"}).status == 202
        assert client.post(members, {"user": "admin"}).status == 403
        assert client.get("/api/audit-trail").status == 403
        assert client.get("/api/users").status == 403
    # An own key, and not the other member's.
    assert bob.call("DELETE", f"/api/auth/api-keys/{ada.key_id}").status == 404

    assert ada.key.call("PATCH", f"{members}/{bob_id}", {"role": "viewer"}).json["role"] == "viewer"
    for client in (bob, bobs_key):
        assert client.get(f"/api/jobs/{job_id}").status == 200
        assert client.post("/api/jobs/echo", {"message": "x"}).status == 403
    assert bob.post("/api/auth/api-keys", {"scopes": ["jobs:write"]}).status == 403

    assert ada.key.call("DELETE", f"{members}/{bob_id}").status == 204
    assert bobs_key.get("/api/jobs").status == 403
    assert bob.get("/api/jobs").status == 404
    assert ada.key.call("DELETE", f"{members}/{bob_id}").status == 404


def test_only_owners_make_owners_and_the_last_one_stays(server):
    ada = Tenant(server, "ada")
    bob = invited(server, "bob")
    bob_id = bob.get("/api/auth/session").json["user"]["user_id"]
    members = f"/api/projects/{ada.project}/members"
    assert ada.key.post(members, {"user": "bob", "role": "admin"}).status == 201
    for change in (
        bob.call("PATCH", f"{members}/{bob_id}", {"role": "owner"}),
        bob.call("PATCH", f"{members}/{ada.user}", {"role": "viewer"}),
        bob.call("DELETE", f"{members}/{ada.user}"),
        bob.post(members, {"user": "admin", "role": "owner"}),
    ):
        assert change.status == 403, change.body
    for change in (
        ada.key.call("PATCH", f"{members}/{ada.user}", {"role": "admin"}),
        ada.key.call("DELETE", f"{members}/{ada.user}"),
    ):
        assert change.status == 409, change.body
    assert ada.key.call("PATCH", f"{members}/{bob_id}", {"role": "owner"}).status == 200
    assert bob.call("PATCH", f"{members}/{ada.user}", {"role": "billing"}).status == 200
    assert ada.key.get("/api/billing/summary").status == 200
    assert ada.key.get("/api/jobs").status == 403


def test_a_set_up_token_is_good_once_and_a_new_one_replaces_it(server):
    admin = server.client()
    first = admin.post("/api/users", {"name": "Ada", "email": "Ada@Example.org"})
    assert first.headers["Cache-Control"] == "no-store"
    user = first.json["user"]
    assert (user["name"], user["email"], user["status"]) == ("ada", "ada@example.org", "invited")
    assert admin.post("/api/users", {"name": "ADA"}).status == 409
    assert admin.post("/api/users", {"name": "eve", "email": "ada@example.org"}).status == 409
    for wrong in ({"name": "a b"}, {"name": ""}, {"name": "-a"}, {"name": "usr_1"}, {"name": "x", "email": "nope"}):
        assert admin.post("/api/users", wrong).status == 422, wrong
    assert Browser(server.url).log_in("ada").status == 403
    second = admin.post(f"/api/users/{user['user_id']}/invitation")
    assert second.status == 201

    def set_up(token: str, password: str = PASSWORD):
        return Browser(server.url).begin("/api/auth/set-up", {"setup_token": token, "password": password})

    assert set_up(second.json["setup_token"], "short").status == 422
    assert set_up(first.json["setup_token"]).status == 403
    assert set_up(second.json["setup_token"]).status == 200
    assert set_up(second.json["setup_token"]).status == 403
    assert [one["status"] for one in admin.get("/api/users").json["data"]] == ["active", "active"]
    for login in ("ada", "ADA", "ada@example.org"):
        assert Browser(server.url).log_in(login).status == 200


def test_who_may_register_is_a_setting(start_nexad):
    server = start_nexad("--set", "accounts.registration=open")
    ada = Browser(server.url)
    wish = {"name": "ada", "password": PASSWORD}
    reply = ada.begin("/api/auth/register", wish)
    assert (reply.status, reply.json["role"]) == (201, "owner"), reply.body
    assert ada.submit("echo", {"message": "x"})
    assert ada.get("/api/users").status == 403
    assert Browser(server.url).begin("/api/auth/register", wish).status == 409
    # A project of that name is there already: the user's own is called something else.
    ada.post("/api/projects", {"name": "bob"})
    assert Browser(server.url).begin("/api/auth/register", {"name": "bob", "password": PASSWORD}).status == 201
    server.stop()
    for registration, may_invite in (("invited", 201), ("closed", 403)):
        server.argv[-1] = f"accounts.registration={registration}"
        server.start()
        refused = Browser(server.url).begin("/api/auth/register", {"name": "eve", "password": PASSWORD})
        assert refused.status == 403
        assert server.client().post("/api/users", {"name": f"guest-{registration}"}).status == may_invite
        assert Browser(server.url).log_in("ada").status == 200
        server.stop()


@pytest.mark.rows("F-84")
def test_a_user_logs_in_and_out(server):
    ada = invited(server, "ada")
    browser = Browser(server.url)
    reply = browser.log_in("ada")
    assert reply.status == 200, reply.body
    assert reply.headers["Cache-Control"] == "no-store"
    cookie = reply.headers["Set-Cookie"]
    assert "; HttpOnly" in cookie
    assert "; SameSite=Strict" in cookie
    assert "Secure" not in cookie
    token = browser.cookie.split("=", 1)[1]
    assert token not in reply.body.decode()
    over_tls = Browser(server.url).post(
        "/api/auth/login", {"user": "ada", "password": PASSWORD}, headers={"X-Forwarded-Proto": "https"}
    )
    assert over_tls.headers["Set-Cookie"].endswith("; Secure")
    shown = browser.get("/api/auth/session").json
    assert (shown["user"]["name"], shown["csrf_token"]) == ("ada", browser.csrf)
    assert browser.post("/api/projects", {"name": "p"}).status == 201
    ended = browser.post("/api/auth/logout")
    assert ended.status == 204
    assert ended.headers["Set-Cookie"].startswith("nexa_session=; Max-Age=0;")
    assert browser.get("/api/auth/session").status == 403
    assert ada.get("/api/auth/session").status == 200
    # Of passwords and tokens nothing that could be used lies on the disk, nor in the log.
    server.stop()
    for path in [*server.folder.rglob("*"), server.log]:
        if path.is_file():
            content = path.read_bytes()
            assert token.encode() not in content, path
            assert PASSWORD.encode() not in content, path


def test_a_session_lives_on_over_a_restart(server):
    ada = invited(server, "ada")
    server.kill()
    server.start()
    assert ada.get("/api/auth/session").status == 200


@pytest.mark.rows("F-84")
def test_a_wrong_password_an_unknown_and_a_disabled_user_get_one_answer_and_soon_have_to_wait(server):
    ada, eve = invited(server, "ada"), invited(server, "eve")
    eve_id = eve.get("/api/auth/session").json["user"]["user_id"]
    assert server.client().call("PATCH", f"/api/users/{eve_id}", {"status": "disabled"}).status == 200
    answers = {
        refusal(Browser(server.url).log_in(user, password))
        for user, password in (("ada", "wrong password"), ("nobody", PASSWORD), ("eve", PASSWORD), ("ada\u0131", "x"))
    }
    assert len(answers) == 1, answers
    assert answers.pop()[0] == 403
    tries = [Browser(server.url).log_in("ada", "wrong password").status for _ in range(9)]
    assert tries == [403] * 9
    # While they come slower than a try is given back, it takes a few more.
    refused = wait_until(
        lambda: (reply := Browser(server.url).log_in("ada", "wrong password")).status == 429 and reply, 60, "a refusal"
    )
    assert Browser(server.url).log_in("ada").status == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.headers["x-ratelimit-remaining"] == "0"
    # Who is in, is in; and another user is not in the way.
    assert ada.get("/api/auth/session").status == 200
    assert Browser(server.url).log_in("bob").status == 403


def test_a_new_password_ends_the_other_sessions_and_logging_out_everywhere_all(server):
    here = invited(server, "ada")
    there = Browser(server.url)
    assert there.log_in("ada").status == 200
    change = {"old_password": "not that one", "new_password": "another good one"}
    assert here.post("/api/auth/password", change).status == 403
    assert here.post("/api/auth/password", {"old_password": PASSWORD, "new_password": "short"}).status == 422
    assert here.post("/api/auth/password", {**change, "old_password": PASSWORD}).status == 204
    assert there.get("/api/auth/session").status == 403
    assert here.get("/api/auth/session").status == 200
    assert there.log_in("ada").status == 403
    assert there.log_in("ada", "another good one").status == 200
    assert there.post("/api/auth/logout-everywhere").status == 204
    assert here.get("/api/auth/session").status == 403
    assert there.get("/api/auth/session").status == 403
    # A key is no session.
    for path in ("logout", "logout-everywhere"):
        assert server.client().post(f"/api/auth/{path}").status == 403


def test_a_disabled_users_keys_and_sessions_are_refused_and_the_last_administrator_stays(server):
    ada = Tenant(server, "ada")
    admin = server.client()
    path = f"/api/users/{ada.user}"
    assert admin.call("PATCH", path, {"status": "disabled"}).json["status"] == "disabled"
    assert ada.key.get("/api/jobs").status == 403
    assert ada.browser.get("/api/auth/session").status == 403
    assert admin.post(f"{path}/invitation").status == 409
    assert admin.call("PATCH", path, {"status": "active"}).status == 200
    assert ada.key.get("/api/jobs").status == 200
    assert ada.browser.get("/api/auth/session").status == 403
    own = admin.get("/api/auth/session").json["user"]["user_id"]
    assert admin.call("PATCH", f"/api/users/{own}", {"status": "disabled"}).status == 409
    assert admin.call("PATCH", "/api/users/usr_nope", {"status": "disabled"}).status == 404


def test_a_change_by_cookie_has_to_come_from_our_own_pages(server):
    ada = invited(server, "ada")
    host = server.url.removeprefix("http://")
    wish = {"name": "p"}

    def change(**headers):
        return ada.post("/api/projects", wish, headers={name.replace("_", "-"): value for name, value in headers.items()})

    for refused in (
        change(X_Nexa_CSRF=""),
        change(X_Nexa_CSRF="0" * 64),
        change(Origin="http://evil.example"),
        change(Origin="null"),
        change(Sec_Fetch_Site="cross-site"),
        change(Sec_Fetch_Site="same-site"),
    ):
        assert refused.status == 403, refused.body
    foreign = {"Origin": "http://evil.example"}
    assert ada.call("DELETE", "/api/auth/api-keys/key_x", headers={"X-Nexa-CSRF": ""}).status == 403
    assert Browser(server.url).post("/api/auth/login", {"user": "ada", "password": PASSWORD}, headers=foreign).status == 403
    assert ada.get("/api/projects", headers={"X-Nexa-CSRF": ""}).json["data"] == []
    assert change(Origin=f"http://{host}", Sec_Fetch_Site="same-origin").status == 201
    # A key is never sent by a browser alone: nothing of this is asked of it.
    assert server.client().post("/api/projects", {"name": "q"}, headers=foreign).status == 201


@pytest.mark.rows("F-85")
def test_a_key_with_a_limit_waits_and_another_does_not(server):
    ada = Tenant(server, "ada")
    # So slow that no second request is allowed within this test, however slow the machine is.
    limited = ada.make_key(server, rate_limit_per_second=0.001)
    listed = {key["key_id"]: key["rate_limit_per_second"] for key in ada.key.get("/api/auth/api-keys").json["data"]}
    assert listed[ada.key_id] == 0.001
    assert limited.get("/api/jobs").status == 200
    refused = limited.post("/api/jobs/echo", b"{")  # not even looked at
    assert refused.status == 429
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert int(refused.headers["Retry-After"]) > 100
    assert refused.headers["x-ratelimit-limit"] == "1"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert refused.json["retryable"] is True
    for _ in range(20):
        assert ada.key.get("/api/jobs").status == 200
    for wrong in (0, -1, "x", 1e9):
        assert ada.browser.post("/api/auth/api-keys", {"rate_limit_per_second": wrong}).status == 422


def test_a_limit_of_the_user_counts_all_keys_and_one_of_the_address_all_users(start_nexad):
    server = start_nexad("--set", "accounts.requests_per_second_of_user=0.001")
    admin = server.client()
    assert admin.get("/api/jobs").status == 200
    assert admin.get("/api/jobs").status == 429
    assert Client(server.url).get("/livez").status == 200
    server.stop()
    server.argv[-1] = "accounts.requests_per_second_of_address=0.001"
    server.start()
    assert Client(server.url, "nexa_x").get("/api/jobs").status == 403
    assert server.client().get("/api/jobs").status == 429


def test_a_rolled_key_ends_as_the_one_before_it_did(server):
    client = server.client()
    made = client.post("/api/auth/api-keys", {"name": "short", "expires_in_days": 30}).json
    rolled = client.post(f"/api/auth/api-keys/{made['key_id']}/roll", {"grace_seconds": 60}).json
    assert rolled["expires_at"] is not None
    assert rolled["expires_at"][:10] >= made["expires_at"][:10]
    for_ever = client.post("/api/auth/api-keys", {"name": "long"}).json
    assert client.post(f"/api/auth/api-keys/{for_ever['key_id']}/roll", {"grace_seconds": 60}).json["expires_at"] is None


def test_a_rolled_key_is_good_until_its_grace_is_over(server):
    ada = Tenant(server, "ada")
    old_id = ada.key_id
    limited = ada.make_key(server, scopes=["jobs:read"], rate_limit_per_second=1000)
    rolled = ada.browser.post(f"/api/auth/api-keys/{ada.key_id}/roll", {"grace_seconds": 3600})
    assert rolled.status == 201
    assert rolled.headers["Cache-Control"] == "no-store"
    assert (rolled.json["scopes"], rolled.json["rate_limit_per_second"]) == (["jobs:read"], 1000)
    assert limited.get("/api/jobs").status == 200
    assert Client(server.url, rolled.json["raw_key"]).get("/api/jobs").status == 200
    assert Client(server.url, rolled.json["raw_key"]).post("/api/jobs/echo", {"message": "x"}).status == 403
    at_once = ada.browser.post(f"/api/auth/api-keys/{old_id}/roll", {})
    assert at_once.status == 201
    assert ada.key.get("/api/jobs").status == 403
    assert ada.browser.post(f"/api/auth/api-keys/{old_id}/roll", {}).status == 404
    # A key that may less than the old one makes no more of it.
    narrow = ada.make_key(server, scopes=["keys:write"])
    widest = ada.browser.post("/api/auth/api-keys", {"name": "wide"}).json["key_id"]
    assert narrow.post(f"/api/auth/api-keys/{widest}/roll", {}).json["scopes"] == ["keys:read", "keys:write"]


def test_the_audit_trail_says_who_changed_what_and_to_whom_it_belongs(server):
    ada, bob = Tenant(server, "ada"), Tenant(server, "bob")
    assert ada.key.call("DELETE", f"/api/auth/api-keys/{ada.key_id}").status == 204
    assert Browser(server.url).log_in("ada", "wrong password").status == 403
    admin = server.client()
    everything = admin.get("/api/audit-trail?limit=100").json
    assert everything["has_more"] is False
    entries = everything["data"]
    numbers = [entry["sequence"] for entry in entries]
    assert numbers == sorted(numbers, reverse=True)
    by_action = {}
    for entry in entries:
        by_action.setdefault(entry["action"], []).append(entry)
    [revoked] = by_action["key.revoked"]
    assert revoked["target"] == revoked["key_id"] == ada.key_id
    assert (revoked["user_id"], revoked["project_id"]) == (ada.user, ada.project)
    assert revoked["address"] == "127.0.0.1"
    [refused] = by_action["session.refused"]
    assert (refused["target"], refused["user_id"]) == (ada.user, None)
    assert len(by_action["user.invited"]) == len(by_action["user.set_up"]) == len(by_action["project.created"]) == 2
    assert {entry["details"]["name"] for entry in by_action["key.created"]} == {"admin", "k"}
    for secret in (ada.key.key, ada.browser.cookie.split("=", 1)[1], PASSWORD):
        assert secret not in json.dumps(everything)

    paged, after = [], ""
    while True:
        page = admin.get(f"/api/audit-trail?limit=3&after={after}").json
        paged += page["data"]
        if not page["has_more"]:
            break
        after = page["next_cursor"]
    assert paged == entries
    # A project's owner sees the project's, and not another's.
    own = bob.key.get("/api/audit-trail").json["data"]
    assert {entry["project_id"] for entry in own} == {bob.project}
    assert [entry["action"] for entry in own] == ["key.created", "project.created"]
    assert bob.key.get(f"/api/audit-trail?project_id={ada.project}").status == 404
    only = admin.get(f"/api/audit-trail?project_id={ada.project}&action=key.revoked").json["data"]
    assert [entry["target"] for entry in only] == [ada.key_id]


PUBLIC = {
    ("get", "/livez"), ("get", "/health"), ("get", "/readyz"), ("get", "/version"), ("get", "/openapi.json"),
    ("post", "/api/auth/login"), ("post", "/api/auth/register"), ("post", "/api/auth/set-up"),
    ("post", "/api/billing/stripe/webhook"),
}


@pytest.mark.rows("F-06", "F-62", "F-63")
def test_every_route_but_a_closed_list_refuses_every_key_that_is_not_good_alike(server):
    admin = server.client()

    def made(**wish) -> dict:
        reply = admin.post("/api/auth/api-keys", wish)
        assert reply.status == 201, reply.body
        return reply.json

    revoked, expired = made(name="revoked"), made(name="expired")
    # Good keys, until now.
    for key in (revoked, expired):
        assert Client(server.url, key["raw_key"]).get("/api/jobs").status == 200
    assert admin.call("DELETE", f"/api/auth/api-keys/{revoked['key_id']}").status == 204
    assert admin.post(f"/api/auth/api-keys/{expired['key_id']}/roll", {"grace_seconds": 0}).status == 201
    wrong = {
        "malformed": "not a key",
        "mistyped": admin.key[:-1] + ("a" if admin.key[-1] != "a" else "b"),
        "revoked": revoked["raw_key"],
        "expired": expired["raw_key"],
    }
    document = Client(server.url).get("/openapi.json").json
    bad, without, public, scopeless = set(), set(), set(), set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if operation["security"] == []:
                public.add((method, path))
                continue
            target = path.replace("{", "").replace("}", "")
            body = b"{" if method in ("post", "put", "patch") else None
            for kind, key in wrong.items():
                answer = refusal(Client(server.url, key).call(method.upper(), target, body))
                assert answer[0] == 403, (kind, method, path)
                bad.add(answer)
            answer = refusal(Client(server.url).call(method.upper(), target, body))
            assert answer[0] == 403, (method, path)
            without.add(answer)
            [scopes] = operation["security"][0].values()
            if not scopes:
                scopeless.add((method, path))
                continue
            held = "keys:read" if scopes == ["billing:read"] else "billing:read"
            narrow = made(name="narrow", scopes=[held])
            reply = Client(server.url, narrow["raw_key"]).call(method.upper(), target, body)
            assert reply.status == 403, (method, path)
            assert scopes[0] in reply.json["detail"]
            assert admin.call("DELETE", f"/api/auth/api-keys/{narrow['key_id']}").status == 204
    assert public == PUBLIC
    assert len(bad) == 1, bad
    assert len(without) == 1, without
    assert scopeless == {
        ("get", "/api/auth/session"), ("post", "/api/auth/logout"), ("post", "/api/auth/logout-everywhere"),
        ("post", "/api/auth/password"),
    }


@pytest.mark.rows("F-59")
def test_no_route_that_reads_ever_shows_a_key_a_token_or_a_password(server):
    ada = Tenant(server, "ada")
    admin = server.client()
    pending = admin.post("/api/users", {"name": "eve"}).json["setup_token"]
    job_id, dataset = ada.key.submit("echo", {"message": "x"}), ada.upload()
    ada.key.post(f"/api/jobs/{job_id}/cancel")  # and its streams end
    secrets = [ada.key.key, admin.key, pending, ada.browser.cookie.split("=", 1)[1], PASSWORD]
    values = {
        "{job_id}": job_id, "{artifact_id}": dataset, "{project_id}": ada.project, "{user_id}": ada.user,
        "{path}": "rows.jsonl", "{key_id}": ada.key_id,
    }
    answered = 0
    for path, methods in Client(server.url).get("/openapi.json").json["paths"].items():
        if "get" not in methods or path.endswith("/snapshot"):
            continue
        for name, value in values.items():
            path = path.replace(name, value)
        for client in (ada.key, ada.browser, admin):
            reply = client.get(path)
            answered += reply.status == 200
            for secret in secrets:
                assert secret not in reply.body.decode(errors="replace"), path
    assert answered >= 30


def texts_in(value) -> str:
    """Every text in a JSON value, and what those in base64 stand for."""
    if isinstance(value, dict):
        return "\n".join(texts_in(one) for one in value.values())
    if isinstance(value, list):
        return "\n".join(texts_in(one) for one in value)
    try:
        return f"{value}\n{base64.b64decode(str(value), validate=True).decode()}"
    except ValueError:
        return str(value)


def test_the_gateways_snapshot_has_the_hash_of_a_users_key_while_the_user_may_ask(server):
    ada = Tenant(server, "ada")
    admin = server.client()

    def snapshot() -> str:
        reply = admin.get("/api/gateway/snapshot?region=local")
        assert reply.status == 200, reply.body
        return texts_in(reply.json)

    digest = hashlib.sha256(ada.key.key.encode()).hexdigest()
    assert digest in snapshot()
    assert ada.key.key not in snapshot()
    assert admin.call("PATCH", f"/api/users/{ada.user}", {"status": "disabled"}).status == 200
    assert digest not in snapshot()


def test_users_projects_and_members_are_managed_from_the_command_line(server):
    def nexa(*words: str, code: int = 0) -> str:
        env = {**os.environ, "NEXA_API_URL": f"{server.url}/api", "NEXA_API_KEY": server.key}
        done = subprocess.run([BUILD / "bin/nexa", *words], env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        return done.stdout

    token = nexa("user", "invite", "ada", "--email", "ada@example.org").strip()
    ada = Browser(server.url)
    assert ada.begin("/api/auth/set-up", {"setup_token": token, "password": PASSWORD}).status == 200
    user = ada.get("/api/auth/session").json["user"]["user_id"]
    project = nexa("project", "create", "vision").strip()
    assert f"{project}\tvision\towner" in nexa("project", "ls")
    assert nexa("member", "add", project, "ada", "--role", "viewer").split() == [user, "viewer"]
    assert nexa("member", "set", project, user, "admin").split() == [user, "admin"]
    assert f"{user}\tada\tada@example.org\tactive\tadmin" in nexa("member", "ls", project)
    assert len(json.loads(nexa("--json", "member", "ls", project))["data"]) == 2
    nexa("member", "rm", project, user)
    nexa("member", "rm", project, user, code=5)
    nexa("user", "disable", user)
    assert ada.get("/api/auth/session").status == 403
    assert nexa("user", "enable", user).split() == [user, "active"]
    again = nexa("user", "reset", user).strip()
    assert ada.begin("/api/auth/set-up", {"setup_token": again, "password": PASSWORD}).status == 200
    assert f"{user}\tada" in nexa("user", "ls")
    key = nexa("key", "create", "--name", "slow", "--rate-limit-per-second", "0.001").strip()
    assert [Client(server.url, key).get("/api/jobs").status for _ in range(2)] == [200, 429]
    [key_id] = [row["key_id"] for row in json.loads(nexa("--json", "key", "ls"))["data"] if row["name"] == "slow"]
    rolled = nexa("key", "roll", key_id).strip()
    assert Client(server.url, key).get("/api/jobs").status == 403
    assert Client(server.url, rolled).get("/api/jobs").status == 200
    trail = [line.split("\t")[2] for line in nexa("audit-trail", "--limit", "4").splitlines()]
    assert trail == ["key.rolled", "key.created", "session.started", "user.set_up"]
