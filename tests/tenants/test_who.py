"""What clients of mnueron ask of tokens: `/api/auth/tokens`, and `/api/auth/me`."""

import pytest

from memferry.model.token import SCOPES, USUAL_SCOPES
from support.people import Person
from support.tokens import create_admin, create_holder, read_tenant_name


@pytest.mark.parametrize(
    "rights", [{}, {"scopes": ("exports:create",)}, {"namespaces": ("b", "a")}]
)
def test_any_token_is_told_what_it_is(
    alice: Person, database_url: str, rights: dict[str, tuple[str, ...]]
) -> None:
    with create_holder(alice, database_url, **rights) as holder:
        answer = holder.get("/api/auth/me")
    user = answer.json()["user"]

    assert answer.status_code == 200
    assert list(user) == ["id", "name", "scopes", "namespaces"]
    assert user["name"] == "test"
    assert user["scopes"] == list(rights.get("scopes", USUAL_SCOPES))
    assert user["namespaces"] == (list(rights["namespaces"]) if "namespaces" in rights else None)


async def test_the_organisation_is_the_tenant_of_the_token(
    alice: Person, bob: Person, database_url: str
) -> None:
    mine, his = (each.get("/api/auth/me").json() for each in (alice, bob))

    assert mine["org"]["name"] == await read_tenant_name(alice, database_url)
    assert mine["org"]["id"] != his["org"]["id"]
    assert mine["user"]["id"] != his["user"]["id"]


def test_an_unknown_token_is_told_nothing(charlie: Person) -> None:
    assert charlie.get("/api/auth/me").status_code == 401


def test_a_raw_token_is_shown_once_and_is_one_of_the_tokens(
    alice: Person, database_url: str
) -> None:
    with create_admin(alice, database_url) as admin:
        answer = admin.post("/api/auth/tokens", json={"name": "laptop", "scopes": list(SCOPES)})
        created = answer.json()
        listed = admin.get("/api/auth/tokens").json()
        assert listed == admin.get("/api/tokens").json()
        with Person("laptop", str(alice.base_url), created["raw"]) as laptop:
            assert laptop.get("/api/auth/me").json()["user"]["id"] == created["id"]
            assert admin.delete(f"/api/auth/tokens/{created['id']}").status_code == 204
            assert laptop.get("/api/auth/me").status_code == 401

    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert {"id", "prefix", "raw", "name", "created_at"} <= created.keys()
    assert "token" not in created
    assert created["raw"].startswith(created["prefix"])
    assert created["raw"] not in str(listed)
