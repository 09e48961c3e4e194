"""Guest operating systems and what runs them."""

from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Page, Role, Visible, Wire
from nativeapi.listing import Listing, slice_of
from nativeapi.registry import command
from nativeapi.views.ostypes import (
    OsCategoryView,
    OsTypeView,
    os_category_views,
    os_type_views,
)
from orchestrator.resources.ostypes import CATEGORIES, TYPES, OsCategory, OsType


@command("listOsTypes", role=Role.USER, since="1.0")
class ListOsTypes(Listing):
    """List the guest operating systems that a template can name."""

    os_type: Annotated[Visible[OsType] | None, Wire("id"), "the operating system"] = None
    os_category: Annotated[
        Visible[OsCategory] | None, Wire("oscategoryid"), "only systems of this family"
    ] = None
    description: Annotated[str | None, "what it is called"] = None

    def run(self, call: Call) -> Page[OsTypeView]:
        found = slice_of(TYPES, self._wants, self.window(call))
        return Page(os_type_views(call, found.rows), found.total)

    def _wants(self, row: OsType) -> bool:
        return (
            self.os_type in (None, row)
            and (self.os_category is None or self.os_category.id == row.category_id)
            and self.description in (None, row.description)
            and self.matches(row.description)
        )


@command("listOsCategories", role=Role.USER, since="1.0")
class ListOsCategories(Listing):
    """List the families of guest operating systems."""

    os_category: Annotated[Visible[OsCategory] | None, Wire("id"), "the family"] = None
    name: Annotated[str | None, "what it is called"] = None

    def run(self, call: Call) -> Page[OsCategoryView]:
        found = slice_of(CATEGORIES, self._wants, self.window(call))
        return Page(os_category_views(call, found.rows), found.total)

    def _wants(self, row: OsCategory) -> bool:
        return (
            self.os_category in (None, row)
            and self.name in (None, row.name)
            and self.matches(row.name)
        )
