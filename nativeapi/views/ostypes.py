"""Guest operating systems on the wire."""

from collections.abc import Sequence
from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import View
from nativeapi.references import noun
from orchestrator.resources import ostypes
from orchestrator.resources.ostypes import OsCategory, OsType


class OsTypeView(View, noun="ostype"):
    """A guest operating system."""

    id: Annotated[str, "the operating system's id"]
    oscategoryid: Annotated[str, "the family it belongs to"]
    description: Annotated[str, "what it is called"]


class OsCategoryView(View, noun="oscategory"):
    """A family of guest operating systems."""

    id: Annotated[str, "the family's id"]
    name: Annotated[str, "what it is called"]


def os_type_views(_call: Call, rows: Sequence[OsType]) -> list[OsTypeView]:
    """Operating systems."""
    return [
        OsTypeView(id=row.id, oscategoryid=row.category_id, description=row.description)
        for row in rows
    ]


def os_category_views(_call: Call, rows: Sequence[OsCategory]) -> list[OsCategoryView]:
    """Families of operating systems."""
    return [OsCategoryView(id=row.id, name=row.name) for row in rows]


noun(OsType, OsTypeView, "ostype", visible=ostypes.find, views=os_type_views)
noun(
    OsCategory,
    OsCategoryView,
    "oscategory",
    visible=ostypes.find_category,
    views=os_category_views,
)
