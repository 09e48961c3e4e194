"""Life of a call: the order of checks, the answers, the transaction, the log."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import update

from nativeapi import signature
from nativeapi.app import PATH
from nativeapi.registry import load
from nativeapi.request import MAX_BODY
from orchestrator.resources import configuration
from orchestrator.schema.accounts import Account, User
from orchestrator.schema.instances import Instance
from orchestrator.schema.jobs import Job
from orchestrator.schema.keypairs import KeyPair
from tests.nativeapi.site import Site

TEXT_401 = "unable to verify user credentials and/or request signature"


def _json(answer: Any) -> tuple[int, str, dict[str, Any]]:
    [(envelope, content)] = json.loads(answer.data).items()
    return answer.status_code, envelope, content


# -- who may call what -------------------------------------------------------------------------


def test_an_unknown_command_is_refused_before_anybody_asks_who_calls(shared: Site) -> None:
    status, envelope, content = _json(shared.send({"command": "listzones", "response": "json"}))

    assert (status, envelope) == (432, "errorresponse")
    assert (content["errorcode"], content["kind"]) == (432, "unknown_command")


def test_a_call_without_a_command_is_refused(shared: Site) -> None:
    assert _json(shared.send({"response": "json"}))[:2] == (432, "errorresponse")


def test_the_role_is_looked_at_before_the_signature(shared: Site) -> None:
    sent = shared.signed("alice", "createZone") | {"signature": "wrong"}

    assert _json(shared.send(sent))[:2] == (432, "errorresponse")


def _unknown_key(site: Site) -> Mapping[str, str]:
    return site.signed("alice", "listZones") | {"apiKey": "nobody"}


def _no_key(site: Site) -> Mapping[str, str]:
    return {"command": "listZones", "response": "json"}


def _bad_signature(site: Site) -> Mapping[str, str]:
    return site.signed("alice", "listZones") | {"signature": "AAAA"}


def _expired(site: Site) -> Mapping[str, str]:
    past = (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S%z")
    return site.signed("alice", "listZones", signatureVersion="3", expires=past)


@pytest.mark.parametrize("request_of", [_unknown_key, _no_key, _bad_signature, _expired])
def test_what_is_wrong_with_the_credentials_is_not_told(request_of: Any, shared: Site) -> None:
    status, envelope, content = _json(shared.send(request_of(shared)))

    assert (status, envelope) == (401, "listzonesresponse")
    assert content == {
        "uuidList": [],
        "errorcode": 401,
        "cserrorcode": 4290,
        "errortext": TEXT_401,
        "kind": "unauthenticated",
        "subject": "signature",
    }


@pytest.mark.parametrize("model", [User, Account])
def test_the_disabled_are_not_told_apart_from_strangers(model: Any, site: Site) -> None:
    alice = site.people["alice"]
    ident = alice.id if model is User else alice.account
    with site.cloud.sessions.write() as db:
        db.execute(update(model).where(model.id == ident).values(state="disabled"))

    assert site.ask("alice", "listZones")[1]["errortext"] == TEXT_401
    assert site.ask("bob", "listZones")[0] == 200


def test_a_new_key_works_at_once_and_the_old_one_no_more(site: Site) -> None:
    alice = site.people["alice"]
    keys = site.call("alice", "registerUserKeys", id=alice.id)["userkeys"]
    assert site.ask("alice", "listZones")[0] == 401

    told = {"command": "listZones", "response": "json", "apiKey": keys["apikey"]}
    told["signature"] = signature.sign(keys["secretkey"], told)
    assert site.send(told).status_code == 200


def test_the_service_may_look_up_a_user_and_what_the_cloud_offers_and_nothing_else(
    shared: Site,
) -> None:
    alice = shared.people["alice"]
    user = shared.call("service", "getUser", userapikey=alice.key)["user"]

    assert (user["id"], user["secretkey"]) == (alice.id, alice.secret)
    for name in load():
        if name not in ("getUser", "listCapabilities"):
            assert shared.ask("service", name)[0] == 432, name


def test_a_user_may_not_look_others_up(shared: Site) -> None:
    for person in ("alice", "keeper"):
        assert shared.ask(person, "getUser", userapikey=shared.people["bob"].key)[0] == 432
    assert shared.refused("service", "getUser", userapikey="x")[1:] == (
        "not_found",
        "user",
        "userapikey",
    )


# -- objects of others -------------------------------------------------------------------------


def test_a_strangers_object_looks_like_none(site: Site) -> None:
    zone = site.call("bob", "listZones")["zone"][0]["id"]
    offering = site.call("bob", "listDiskOfferings")["diskoffering"][0]["id"]
    volume = site.call(
        "bob", "createVolume", name="v", zoneid=zone, diskofferingid=offering, size=1
    )["id"]
    site.cloud.run()
    absent = "00000000-0000-8000-8000-70696c657573"

    for ident in (volume, absent, "banana"):
        status, content = site.ask("alice", "deleteVolume", id=ident)
        assert (status, content["kind"], content["field"]) == (431, "not_found", "id")
        assert content["errortext"] == f"There is no volume '{ident}'."
    assert site.ask("keeper", "listVolumes", id=volume)[1]["count"] == 1
    assert site.call("keeper", "deleteVolume", id=volume) == {"success": "true"}


# -- answers -----------------------------------------------------------------------------------


def test_get_and_post_are_alike(shared: Site) -> None:
    sent = shared.signed("alice", "listZones")
    split = {name: sent.pop(name) for name in ("apiKey", "signature")}

    assert _json(shared.send(sent, split))[0] == 200
    assert shared.send({}, {**sent, **split}).data == shared.send({**sent, **split}).data


def test_xml_is_the_default_and_has_the_same_content(shared: Site) -> None:
    caller = shared.people["alice"]
    told = {"command": "listZones", "apiKey": caller.key}
    answer = shared.send(told | {"signature": signature.sign(caller.secret, told)})
    root = etree.fromstring(answer.data)

    assert answer.headers["Content-Type"] == "text/xml; charset=UTF-8"
    assert root.tag == "listzonesresponse"
    assert (root.findtext("count"), root.findtext("zone/name")) == ("1", "zone")


def test_json_is_declared_as_such(shared: Site) -> None:
    answer = shared.send(shared.signed("alice", "listZones"))

    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_empty_list_has_neither_count_nor_rows(shared: Site) -> None:
    assert shared.call("alice", "listVolumes") == {}
    assert shared.call("alice", "listZones", name="nowhere") == {}


def test_errors_are_described_in_a_header_of_one_line(shared: Site) -> None:
    answer = shared.send(shared.signed("alice", "listZones", **{"fo\r\no é": "x"}))

    assert answer.status_code == 431
    assert answer.headers["X-Description"] == "listZones has no parameter 'fo\\r\\no ?'."
    assert json.loads(answer.data)["listzonesresponse"]["field"] == "fo\r\no é"


def test_errors_in_xml_have_the_same_fields(shared: Site) -> None:
    root = etree.fromstring(shared.send({"command": "listZones"}).data)

    assert root.tag == "listzonesresponse"
    assert (root.findtext("errorcode"), root.findtext("errortext")) == ("401", TEXT_401)


def test_an_absurd_body_is_answered(shared: Site) -> None:
    body = {"command": "listZones", "x": "y" * (2 * MAX_BODY)}
    status, envelope, content = _json(shared.send({"response": "json"}, body))

    assert (status, envelope, content["kind"]) == (431, "errorresponse", "invalid")


def test_other_paths_and_methods_are_not_served(shared: Site) -> None:
    http = shared.app.test_client()

    assert http.get("/").status_code == 404
    assert http.put(PATH).status_code == 405
    assert http.get(f"{PATH}/?command=listZones").status_code == 401


# -- one transaction ---------------------------------------------------------------------------


def test_a_refused_command_leaves_nothing_behind(site: Site) -> None:
    group = site.call("alice", "createSecurityGroup", name="web")["securitygroup"]["id"]
    ports = {"protocol": "tcp", "startport": 22, "endport": 22, "securitygroupid": group}
    answer = site.refused(
        "alice", "authorizeSecurityGroupIngress", cidrlist="10.0.0.0/8,10.0.0.0/8", **ports
    )

    assert answer[:3] == (431, "exists", "securitygrouprule")
    [shown] = site.call("alice", "listSecurityGroups", id=group)["securitygroup"]
    assert shown["ingressrule"] == []
    assert not [job for job in site.cloud.all(Job) if job.resource_id == group]


def test_no_capacity_leaves_no_instance(site: Site) -> None:
    big = site.call(
        "admin",
        "createServiceOffering",
        name="huge",
        displaytext="huge",
        cpunumber=1,
        cpuspeed=500,
        memory=2**25,
    )["serviceoffering"]["id"]
    told = {
        "zoneid": site.call("alice", "listZones")["zone"][0]["id"],
        "templateid": site.call("alice", "listTemplates", templatefilter="featured")["template"][0][
            "id"
        ],
    }

    refused = site.refused("alice", "deployVirtualMachine", serviceofferingid=big, **told)
    assert refused[:3] == (533, "no_capacity", "virtualmachine")
    assert site.cloud.all(Instance) == []


# -- bugs --------------------------------------------------------------------------------------


def test_a_bug_is_logged_under_an_id_and_told_without_words(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the private reason")

    monkeypatch.setattr(configuration, "integer", broken)
    with caplog.at_level(logging.INFO):
        status, content = site.ask("alice", "listCapabilities")

    assert (status, content["kind"], content["cserrorcode"]) == (530, "bug", 4250)
    assert "private" not in content["errortext"]
    [record] = [record for record in caplog.records if record.name == "nativeapi"]
    request_id = record.getMessage().split()[1].rstrip(":")
    assert request_id in content["errortext"]
    assert "the private reason" in caplog.text


def test_nothing_secret_is_logged(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        site.call("alice", "createSSHKeyPair", name="mine")
        site.call("alice", "registerUserKeys", id=site.people["alice"].id)
        site.ask("alice", "listZones")

    person = site.people["alice"]
    for secret in (person.key, person.secret, "PRIVATE KEY"):
        assert secret not in caplog.text
    assert len(site.cloud.all(KeyPair)) == 1
