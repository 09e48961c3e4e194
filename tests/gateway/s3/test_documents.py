"""What the documents of buckets' settings may say: the checks by themselves."""

from typing import Any

import pytest

from gateway.s3.documents import encryption, lifecycle, lock, notification, website
from gateway.s3.faults import S3Fault

Rule = dict[str, Any]

URL = "arn:pileus:http:::https://hooks.example.com:8443/s3?a=b"


def rules(*given: Rule) -> list[Rule]:
    document = lifecycle.check({"Rules": list(given)})
    return list(document["Rules"])


def rule(**more: Any) -> Rule:
    plain: Rule = {"Status": "Enabled", "Prefix": "", "Expiration": {"Days": 1}}
    return {name: value for name, value in (plain | more).items() if value is not None}


def filtered(chosen: Rule, **more: Any) -> Rule:
    return rule(Prefix=None, Filter=chosen, **more)


def refused(code: str, check: Any, *given: Any) -> None:
    with pytest.raises(S3Fault) as fault:
        check(*given)
    assert fault.value.code == code


# -- lifecycle -------------------------------------------------------------------------------------


def test_every_rule_has_a_name_of_its_own() -> None:
    first, second = rules(rule(), rule())
    assert first["ID"]
    assert first["ID"] != second["ID"]
    assert rules(rule(ID="mine"))[0]["ID"] == "mine"
    refused("InvalidArgument", rules, rule(ID="a"), rule(ID="a"))
    refused("InvalidArgument", rules, rule(ID="a" * 256))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2030-01-02", "2030-01-02T00:00:00.000Z"),
        ("2030-01-02T00:00:00Z", "2030-01-02T00:00:00.000Z"),
        ("2030-01-02T00:00:00.000Z", "2030-01-02T00:00:00.000Z"),
        ("2030-01-02T02:00:00+02:00", "2030-01-02T00:00:00.000Z"),
    ],
)
def test_a_date_is_a_midnight_in_one_spelling(given: str, kept: str) -> None:
    assert rules(rule(Expiration={"Date": given}))[0]["Expiration"] == {"Date": kept}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("2030-01-02T00:00:01Z", "InvalidArgument"),
        ("2030-01-02T00:00:00+01:00", "InvalidArgument"),
        ("20300102", "MalformedXML"),
        ("2030-13-02", "MalformedXML"),
        ("soon", "MalformedXML"),
        ("", "MalformedXML"),
        ("0001-01-01T00:00:00+14:00", "MalformedXML"),
    ],
)
def test_any_other_date_is_refused(given: str, code: str) -> None:
    refused(code, rules, rule(Expiration={"Date": given}))


TAG, OTHER = {"Key": "a", "Value": "b"}, {"Key": "c", "Value": ""}
ABORT = {"DaysAfterInitiation": 3}


@pytest.mark.parametrize(
    "good",
    [
        filtered({}),
        filtered({"Prefix": "p"}),
        filtered({"Tag": TAG}),
        filtered({"ObjectSizeGreaterThan": 0}),
        filtered({"ObjectSizeLessThan": 1}),
        filtered({"And": {"Tags": [TAG, OTHER]}}),
        filtered({"And": {"Prefix": "", "Tags": [TAG]}}),
        filtered({"And": {"ObjectSizeGreaterThan": 1, "ObjectSizeLessThan": 2}}),
        rule(Expiration={"ExpiredObjectDeleteMarker": True}),
        rule(Expiration=None, AbortIncompleteMultipartUpload=ABORT),
        rule(
            Expiration=None,
            NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 100},
        ),
        filtered({"Prefix": "p"}, AbortIncompleteMultipartUpload=ABORT),
    ],
)
def test_a_good_rule_is_kept_as_it_is(good: Rule) -> None:
    assert rules({**good, "ID": "i"}) == [{**good, "ID": "i"}]


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("MalformedXML", rule(Prefix=None)),
        ("MalformedXML", rule(Filter={})),
        ("MalformedXML", filtered({"Prefix": "p", "Tag": TAG})),
        ("MalformedXML", filtered({"And": {}})),
        ("MalformedXML", filtered({"And": {"Prefix": "p"}})),
        ("InvalidRequest", filtered({"And": {"Tags": [TAG, TAG]}})),
        ("InvalidRequest", filtered({"Tag": {"Key": "", "Value": ""}})),
        ("InvalidRequest", filtered({"Tag": {"Key": "k" * 129, "Value": ""}})),
        ("InvalidRequest", filtered({"ObjectSizeGreaterThan": -1})),
        ("InvalidRequest", filtered({"ObjectSizeLessThan": 0})),
        (
            "InvalidRequest",
            filtered({"And": {"ObjectSizeGreaterThan": 2, "ObjectSizeLessThan": 2}}),
        ),
        ("InvalidRequest", rule(Prefix="p" * 1025)),
        ("InvalidRequest", rule(Expiration=None)),
        ("MalformedXML", rule(Expiration={})),
        ("MalformedXML", rule(Expiration={"Days": 1, "Date": "2030-01-01"})),
        ("InvalidArgument", rule(Expiration={"Days": 0})),
        ("InvalidArgument", rule(Expiration={"Days": -1})),
        ("InvalidArgument", rule(Expiration={"Days": 1 << 31})),
        (
            "InvalidRequest",
            filtered({"Tag": TAG}, Expiration={"ExpiredObjectDeleteMarker": True}),
        ),
        ("InvalidRequest", filtered({"Tag": TAG}, AbortIncompleteMultipartUpload=ABORT)),
        (
            "InvalidRequest",
            filtered({"ObjectSizeLessThan": 9}, AbortIncompleteMultipartUpload=ABORT),
        ),
        ("MalformedXML", rule(AbortIncompleteMultipartUpload={})),
        ("InvalidArgument", rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 0})),
        ("MalformedXML", rule(NoncurrentVersionExpiration={"NewerNoncurrentVersions": 1})),
        ("InvalidArgument", rule(NoncurrentVersionExpiration={"NoncurrentDays": 0})),
        (
            "InvalidArgument",
            rule(NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 101}),
        ),
        ("NotImplemented", rule(Transitions=[{"Days": 1, "StorageClass": "GLACIER"}])),
        ("NotImplemented", rule(NoncurrentVersionTransitions=[{"NoncurrentDays": 1}])),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(code: str, wrong: Rule) -> None:
    refused(code, rules, rule(), wrong)


# -- website ---------------------------------------------------------------------------------------


def site(*routing: Rule, **more: Any) -> Rule:
    return {"IndexDocument": {"Suffix": "i.html"}, "RoutingRules": list(routing), **more}


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("InvalidArgument", {}),
        ("InvalidArgument", {"ErrorDocument": {"Key": "e"}}),
        ("InvalidArgument", {"IndexDocument": {"Suffix": ""}}),
        ("InvalidArgument", {"IndexDocument": {"Suffix": "a/b"}}),
        ("InvalidArgument", site(ErrorDocument={"Key": ""})),
        ("MalformedXML", site(RedirectAllRequestsTo={"HostName": "h"})),
        ("InvalidArgument", {"RedirectAllRequestsTo": {"HostName": "a b"}}),
        ("InvalidRequest", {"RedirectAllRequestsTo": {"HostName": "h", "Protocol": "ftp"}}),
        ("InvalidRequest", site(*[{"Redirect": {"HostName": "h"}}] * 51)),
        ("InvalidRequest", site({"Redirect": {}})),
        ("InvalidRequest", site({"Condition": {}, "Redirect": {"HostName": "h"}})),
        ("InvalidRequest", site({"Redirect": {"ReplaceKeyWith": "", "ReplaceKeyPrefixWith": ""}})),
        ("InvalidRequest", site({"Redirect": {"HttpRedirectCode": "300"}})),
        ("InvalidRequest", site({"Redirect": {"HttpRedirectCode": "200"}})),
        ("InvalidArgument", site({"Redirect": {"HostName": "h/../x"}})),
        (
            "InvalidRequest",
            site(
                {
                    "Condition": {"HttpErrorCodeReturnedEquals": "200"},
                    "Redirect": {"HostName": "h"},
                }
            ),
        ),
    ],
)
def test_a_website_that_cannot_be_served_is_refused(code: str, wrong: Rule) -> None:
    refused(code, website.check, wrong)


def test_a_website_is_kept_as_it_is() -> None:
    route = {
        "Condition": {"HttpErrorCodeReturnedEquals": "404", "KeyPrefixEquals": "a/"},
        "Redirect": {"HttpRedirectCode": "302", "Protocol": "https", "HostName": "h:8080"},
    }
    whole = site(route, ErrorDocument={"Key": "errors/e.html"})
    assert website.check(whole) == whole
    everything = {"RedirectAllRequestsTo": {"HostName": "h", "Protocol": "https"}}
    assert website.check(everything) == everything


# -- notification ----------------------------------------------------------------------------------


def topic(arn: str = URL, **more: Any) -> Rule:
    return {"TopicArn": arn, "Events": ["s3:ObjectCreated:*"], **more}


def notified(*topics: Rule) -> Any:
    return notification.check({"TopicConfigurations": list(topics)})


def test_a_receiver_is_a_url_in_a_topics_arn() -> None:
    assert notification.url_of(URL) == "https://hooks.example.com:8443/s3?a=b"
    removed = ["s3:ObjectRemoved:*"]
    kept = notified(topic(Id="i"), topic(Events=removed))["TopicConfigurations"]
    assert kept[0] == topic(Id="i")
    assert kept[1]["Id"]
    assert notification.check({}) is None


def about(events: str, prefix: str = "", suffix: str = "") -> Rule:
    rules = [{"Name": "prefix", "Value": prefix}, {"Name": "suffix", "Value": suffix}]
    return topic(Events=[f"s3:{events}"], Filter={"Key": {"FilterRules": rules}})


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (about("ObjectCreated:*"), about("ObjectCreated:*"), True),
        (about("ObjectCreated:*"), about("ObjectCreated:Put"), True),
        (about("ObjectCreated:Copy"), about("ObjectCreated:Put"), False),
        (about("ObjectCreated:*"), about("ObjectRemoved:*"), False),
        (about("ObjectCreated:*", "a/"), about("ObjectCreated:*", "b/"), False),
        (about("ObjectCreated:*", "a/"), about("ObjectCreated:*", "a/b"), True),
        (about("ObjectCreated:*", "a/", ".jpg"), about("ObjectCreated:*", "a/", ".png"), False),
        (about("ObjectCreated:*", "a/", ".jpg"), about("ObjectCreated:*", "", "2.jpg"), True),
        (about("ObjectCreated:*", "a/", ".jpg"), topic(), True),
    ],
)
def test_no_event_may_be_for_two_configurations(one: Rule, other: Rule, overlap: bool) -> None:
    if overlap:
        refused("InvalidArgument", notified, one, other)
        refused("InvalidArgument", notified, other, one)
    else:
        assert len(notified(one, other)["TopicConfigurations"]) == 2


@pytest.mark.parametrize(
    ("code", "arn"),
    [
        ("NotImplemented", "arn:aws:sns:us-east-1:123456789012:topic"),
        ("NotImplemented", "https://hooks.example.com"),
        ("InvalidArgument", "arn:pileus:http:::"),
        ("InvalidArgument", "arn:pileus:http:::ftp://host/"),
        ("InvalidArgument", "arn:pileus:http:::https:///path"),
        ("InvalidArgument", "arn:pileus:http:::https://user:pass@host/"),
        ("InvalidArgument", "arn:pileus:http:::https://host:0/"),
        ("InvalidArgument", "arn:pileus:http:::https://host:99999/"),
        ("InvalidArgument", "arn:pileus:http:::https://ho st/"),
        ("InvalidArgument", "arn:pileus:http:::https://host/\r\nX: y"),
        ("InvalidArgument", "arn:pileus:http:::https://host/#part"),
        ("InvalidArgument", "arn:pileus:http:::https://host\\@other/"),
        ("InvalidArgument", "arn:pileus:http:::https://[::1/"),
        ("InvalidArgument", "arn:pileus:http:::https://host/" + "a" * 2048),
        ("InvalidArgument", "arn:pileus:http:::https://hö.example/"),
    ],
)
def test_any_other_receiver_is_refused(code: str, arn: str) -> None:
    refused(code, notified, topic(arn))


@pytest.mark.parametrize(
    "name", ["QueueConfigurations", "LambdaFunctionConfigurations", "EventBridgeConfiguration"]
)
def test_receivers_of_amazons_own_are_refused_by_name(name: str) -> None:
    with pytest.raises(S3Fault, match=f"NotImplemented: {name}"):
        notification.check({name: {}})


def test_a_filter_has_a_prefix_and_a_suffix_at_most() -> None:
    def sides(*given: tuple[str, str]) -> Any:
        listed = [{"Name": name, "Value": value} for name, value in given]
        kept = notified(topic(Filter={"Key": {"FilterRules": listed}}))
        return kept["TopicConfigurations"][0]["Filter"]["Key"]["FilterRules"]

    assert sides(("Prefix", "a/"), ("suffix", ".jpg")) == [
        {"Name": "prefix", "Value": "a/"},
        {"Name": "suffix", "Value": ".jpg"},
    ]
    refused("InvalidArgument", sides, ("prefix", "a"), ("Prefix", "b"))
    refused("InvalidArgument", sides, ("infix", "a"))
    refused("InvalidArgument", sides, ("prefix", "a" * 1025))


def test_an_event_must_be_one_of_s3s() -> None:
    refused("InvalidArgument", notified, topic(Events=["s3:ObjectEaten:*"]))
    refused("InvalidArgument", notified, topic(Id="a"), topic(Id="a"))
    refused("InvalidArgument", notified, topic(Id="a" * 256))
    refused("InvalidArgument", notified, *[topic()] * 101)


# -- object lock, encryption -----------------------------------------------------------------------


def locked(**retention: Any) -> Rule:
    return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("MalformedXML", {}),
        ("MalformedXML", {"ObjectLockEnabled": "Enabled", "Rule": {}}),
        ("MalformedXML", locked(Days=1)),
        ("MalformedXML", locked(Mode="GOVERNANCE")),
        ("MalformedXML", locked(Mode="GOVERNANCE", Days=1, Years=1)),
        ("InvalidRetentionPeriod", locked(Mode="GOVERNANCE", Days=0)),
        ("InvalidRetentionPeriod", locked(Mode="GOVERNANCE", Years=-1)),
        ("InvalidRetentionPeriod", locked(Mode="COMPLIANCE", Years=101)),
        ("NotImplemented", locked(Mode="COMPLIANCE", Days=1, DefaultEventHold={"Days": 1})),
    ],
)
def test_a_lock_that_makes_no_sense_is_refused(code: str, wrong: Rule) -> None:
    refused(code, lock.check, wrong)
    for good in ({"ObjectLockEnabled": "Enabled"}, locked(Mode="COMPLIANCE", Years=100)):
        assert lock.check(good) == good


def encrypting(**default: Any) -> Rule:
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("MalformedXML", {"Rules": []}),
        ("MalformedXML", {"Rules": [{}]}),
        ("MalformedXML", {"Rules": [{"BucketKeyEnabled": True}] * 2}),
        ("NotImplemented", encrypting(SSEAlgorithm="aws:kms:dsse")),
        ("InvalidArgument", encrypting(SSEAlgorithm="AES256", KMSMasterKeyID="k")),
    ],
)
def test_encryption_that_is_not_offered_is_refused(code: str, wrong: Rule) -> None:
    refused(code, encryption.check, wrong)
    good = encrypting(SSEAlgorithm="aws:kms", KMSMasterKeyID="k")
    assert encryption.check(good) == good
    assert encryption.named_key(good) == "k"
    assert encryption.named_key({"Rules": [{"BucketKeyEnabled": True}]}) is None
