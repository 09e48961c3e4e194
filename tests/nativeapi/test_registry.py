"""Every command, by the properties that all of them must have."""

import re
from dataclasses import dataclass, fields
from typing import Annotated, get_type_hints

import pytest

from nativeapi.declare import Done, Job, Owned, Page, Role, View, Wire
from nativeapi.envelopes import wire_names
from nativeapi.parameters import TRANSPORT
from nativeapi.references import known
from nativeapi.registry import (
    Command,
    Form,
    Kind,
    command,
    docstring_of,
    help_of,
    load,
    parameters_of,
    reply_of,
)

COMMANDS = sorted(load().items())
EVERY = pytest.mark.parametrize("entry", [x for _, x in COMMANDS], ids=[x for x, _ in COMMANDS])


@EVERY
def test_a_command_and_its_parameters_have_help(entry: Command) -> None:
    assert entry.help.endswith(".")
    assert all(parameter.help for parameter in entry.parameters)
    assert not entry.help.startswith(" ")


@EVERY
def test_names_on_the_wire_are_plain_and_do_not_hide_those_of_the_call(entry: Command) -> None:
    names = [parameter.wire for parameter in entry.parameters]

    assert all(re.fullmatch("[a-z0-9]+", name) for name in names)
    assert not set(names) & TRANSPORT
    assert re.fullmatch("[a-z]+[A-Z][A-Za-z]+", entry.name)


@EVERY
def test_whatever_a_parameter_refers_to_can_be_fetched(entry: Command) -> None:
    for parameter in entry.parameters:
        if parameter.row and parameter.access:
            assert known(parameter.row, parameter.access), parameter.wire


@EVERY
def test_every_field_of_an_answer_has_help(entry: Command) -> None:
    if entry.reply.view:
        _assert_help(entry.reply.view)


def _assert_help(view: type[View]) -> None:
    hints = get_type_hints(view, include_extras=True)
    assert view.noun
    assert all(help_of(hints[field.name]) for field in fields(view))
    wires = [wire for _, wire in wire_names(view)]
    assert len(set(wires)) == len(wires)


@EVERY
def test_lists_read_and_show_their_rows_under_a_key(entry: Command) -> None:
    if entry.name.startswith("list") and entry.name != "listCapabilities":
        assert entry.reply.form is Form.PAGE
        assert entry.reads
        assert entry.key


@EVERY
def test_what_starts_work_writes(entry: Command) -> None:
    assert not (entry.asynchronous and entry.reads)


def test_envelopes_follow_the_rule_but_for_the_known_exceptions() -> None:
    irregular = {
        name: entry.envelope
        for name, entry in COMMANDS
        if entry.envelope != f"{name.lower()}response"
    }

    assert irregular == {
        "revokeSecurityGroupEgress": "revokesecuritygroupegress",
        "revokeSecurityGroupIngress": "revokesecuritygroupingress",
    }


def test_only_two_commands_are_for_the_service_and_neither_changes_anything() -> None:
    offered = {name: entry for name, entry in COMMANDS if entry.allows(Role.SERVICE)}
    assert sorted(offered) == ["getUser", "listCapabilities"]
    assert all(entry.reads for entry in offered.values())


# -- how declarations are read -----------------------------------------------------------------


class Widget:
    """A row."""


class WidgetView(View, noun="widget"):
    """A view."""

    id: Annotated[str, "the id"]


def test_annotations_say_kind_name_and_requirement() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Sample:
        widget: Annotated[Owned[Widget], Wire("id"), "the widget"]
        max_size: Annotated[int | None, "most"] = None

    first, second = parameters_of(Sample)

    assert (first.wire, first.kind, first.required, first.row) == ("id", Kind.UUID, True, Widget)
    assert (second.wire, second.kind, second.required) == ("maxsize", Kind.INTEGER, False)


def test_the_return_annotation_says_the_form_of_the_answer() -> None:
    class Lists:
        def run(self) -> Page[WidgetView]:
            return Page([], 0)

    class Starts:
        def run(self) -> Job[Done]:
            return Job("1")

    class Shows:
        def run(self) -> WidgetView:
            return WidgetView(id="1")

    assert (reply_of(Lists).form, reply_of(Lists).view) == (Form.PAGE, WidgetView)
    assert (reply_of(Starts).form, reply_of(Starts).view) == (Form.JOB, None)
    assert (reply_of(Shows).form, reply_of(Shows).view) == (Form.OBJECT, WidgetView)


def test_an_impossible_declaration_fails_when_it_is_made() -> None:
    @dataclass(frozen=True)
    class Helpless:
        name: Annotated[str, Wire("n")]

    @dataclass(frozen=True)
    class Twice:
        name: Annotated[str, "one"]
        title: Annotated[str, Wire("name"), "two"]

    class Odd:
        def run(self) -> str:
            return ""

    with pytest.raises(TypeError, match="no help"):
        parameters_of(Helpless)
    with pytest.raises(TypeError, match="one wire name"):
        parameters_of(Twice)
    with pytest.raises(TypeError, match="must return"):
        reply_of(Odd)
    with pytest.raises(TypeError, match="no docstring"):
        docstring_of(Helpless)


def test_a_command_is_declared_once() -> None:
    class Again:
        """A second one."""

        def run(self) -> Done:
            return Done()

    with pytest.raises(TypeError, match="declared twice"):
        command("listZones", role=Role.USER, since="1.0")(Again)
