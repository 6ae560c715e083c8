"""Where North American numbers are at home, by way of the geographic data of the `phonenumbers` library.

The data knows the state or province of every area code and the town of most exchanges. It knows no rate centers and no
post codes; of a post code, the first digits name the state, and that is a public table.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from simulator.domain.phone import country_of, is_subscriber_area

STATES: Final[Mapping[str, Mapping[str, str]]] = {
    "US": {
        "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
        "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia",
        "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas",
        "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan",
        "MN": "Minnesota", "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada",
        "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina",
        "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania",
        "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas",
        "UT": "Utah", "VT": "Vermont", "VA": "Virginia", "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin",
        "WY": "Wyoming",
    },
    "CA": {
        "AB": "Alberta", "BC": "British Columbia", "MB": "Manitoba", "NB": "New Brunswick",
        "NL": "Newfoundland and Labrador", "NS": "Nova Scotia", "NT": "Northwest Territories", "NU": "Nunavut",
        "ON": "Ontario", "PE": "Prince Edward Island", "QC": "Quebec", "SK": "Saskatchewan", "YT": "Yukon",
    },
}  # fmt: skip
# The library's own names where they are not the state's.
_OTHER_NAMES: Final[Mapping[str, str]] = {
    "washington state": "WA",
    "washington d.c.": "DC",
    "washington dc": "DC",
    "british colombia": "BC",
    "québec": "QC",
}
# The first three digits of a ZIP code from which on it lies in a state; "" is not assigned, or no state.
_ZIPS: Final = (
    ("000", ""), ("005", "NY"), ("006", ""), ("010", "MA"), ("028", "RI"), ("030", "NH"), ("039", "ME"),
    ("050", "VT"), ("055", "MA"), ("056", "VT"), ("060", "CT"), ("070", "NJ"),
    ("090", ""), ("100", "NY"), ("150", "PA"), ("197", "DE"), ("200", "DC"), ("201", "VA"), ("202", "DC"),
    ("206", "MD"), ("213", ""), ("214", "MD"), ("220", "VA"), ("247", "WV"), ("269", ""), ("270", "NC"), ("290", "SC"),
    ("300", "GA"), ("320", "FL"), ("340", ""), ("341", "FL"), ("343", ""), ("344", "FL"), ("345", ""), ("346", "FL"),
    ("348", ""), ("349", "FL"), ("350", "AL"), ("370", "TN"), ("386", "MS"), ("398", "GA"), ("400", "KY"),
    ("428", ""), ("430", "OH"), ("460", "IN"), ("480", "MI"), ("500", "IA"), ("530", "WI"), ("550", "MN"),
    ("569", "DC"), ("570", "SD"), ("580", "ND"), ("590", "MT"), ("600", "IL"), ("630", "MO"), ("660", "KS"),
    ("680", "NE"), ("694", ""), ("700", "LA"), ("716", "AR"), ("730", "OK"), ("733", "TX"), ("734", "OK"),
    ("750", "TX"), ("800", "CO"), ("820", "WY"), ("832", "ID"), ("839", ""), ("840", "UT"), ("848", ""),
    ("850", "AZ"), ("870", "NM"), ("885", "TX"), ("886", ""), ("889", "NV"), ("899", ""), ("900", "CA"),
    ("962", ""), ("967", "HI"), ("969", ""), ("970", "OR"), ("980", "WA"), ("995", "AK"),
)  # fmt: skip
_POSTAL: Final[Mapping[str, str]] = {  # the first letter of a Canadian post code; X is NT and NU, told apart by more
    "A": "NL", "B": "NS", "C": "PE", "E": "NB", "G": "QC", "H": "QC", "J": "QC", "K": "ON", "L": "ON", "M": "ON",
    "N": "ON", "P": "ON", "R": "MB", "S": "SK", "T": "AB", "V": "BC", "Y": "YT",
}  # fmt: skip
_ZIP: Final = re.compile(r"([0-9]{3})[0-9]{2}(-[0-9]{4})?")
_CANADIAN: Final = re.compile(r"([A-Z])[0-9][A-Z] ?([0-9][A-Z][0-9])?")


def load() -> None:
    """Read the library's data, which takes a third of a second and 90 MB the first time, and nothing after that."""
    _prefixes()


def state_named(country: str, text: str) -> str | None:
    """Return the two letters of a state or province, given as such or by its name, or None when there is none."""
    wanted = text.strip().casefold()
    for code, name in STATES[country].items():
        if wanted in (code.casefold(), name.casefold()):
            return code
    other = _OTHER_NAMES.get(wanted)
    return other if other in STATES[country] else None


def state_of_zip(country: str, text: str) -> str | None:
    """Return the state or province of a post code, or None when none has it.

    Raises ValueError for what is no post code of the country.
    """
    wanted = text.strip().upper()
    if country == "CA":
        canadian = _CANADIAN.fullmatch(wanted)
        if canadian is None:
            raise ValueError("a Canadian post code looks like M5V 3L9")
        if canadian[1] == "X":
            return "NU" if wanted.startswith(("X0A", "X0B", "X0C")) else "NT"
        return _POSTAL.get(canadian[1])
    american = _ZIP.fullmatch(wanted)
    if american is None:
        raise ValueError("a ZIP code has five digits, for example 94103")
    return _ZIPS[bisect_right(_ZIPS, american[1], key=lambda row: row[0]) - 1][1] or None


def home(country: str, national: str) -> tuple[str | None, str | None]:
    """Return city and state of a North American number's ten national digits; None for what the data doesn't say."""
    prefixes = _prefixes()
    for length in range(min(len(national), 9), 2, -1):
        found = prefixes.get(national[:length])
        if found is not None:
            return _read(country, found)
    return None, None


@lru_cache(maxsize=1024)
def states_of(country: str, area_code: str) -> tuple[str, ...]:
    """Return the states that an area code serves: several where provinces or territories share one."""
    whole = _prefixes().get(area_code)
    if whole is not None:
        within = home(country, area_code)[1]
        found = [within] if within else [state_named(country, name) for name in whole.split("/")]
    else:
        found = [_read(country, text)[1] for prefix, text in _prefixes().items() if prefix[:3] == area_code]
    return tuple(dict.fromkeys(state for state in found if state is not None))


@lru_cache(maxsize=4)
def prefixes_of(country: str, city: str) -> tuple[str, ...]:
    """Return the area codes with exchange ("415209") whose numbers are in a city, in order of their digits."""
    wanted = city.strip().casefold()
    return tuple(
        sorted(
            prefix
            for prefix, text in _prefixes().items()
            if len(prefix) == 6 and wanted in text.casefold() and (_read(country, text)[0] or "").casefold() == wanted
        )
    )


@lru_cache(maxsize=128)
def area_codes(country: str, state: str) -> tuple[str, ...]:
    """Return the area codes that serve a state, in order."""
    codes = (f"{code}" for code in range(200, 1000))
    mine = (code for code in codes if country_of(code) == country and is_subscriber_area(code))
    return tuple(code for code in mine if state in states_of(country, code))


def _read(country: str, text: str) -> tuple[str | None, str | None]:
    """Take apart "Novato, CA", "Cherry Street, Philadelphia, PA" or "California"."""
    city, comma, last = text.rpartition(", ")
    if not comma:
        return None, state_named(country, text)
    state = last if last in STATES[country] else None
    return (city.rpartition(", ")[2] if state else None), state


@lru_cache(maxsize=1)
def _prefixes() -> Mapping[str, str]:
    """National digits of North America -> the library's words for where they are."""
    from phonenumbers.geodata import GEOCODE_DATA

    return {digits[1:]: names["en"] for digits, names in GEOCODE_DATA.items() if digits[0] == "1" and "en" in names}
