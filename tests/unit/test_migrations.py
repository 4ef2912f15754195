"""Every new migration is one beside which the release before goes on, and samples of those that are not."""

from collections.abc import Callable

import pytest
from django.db import migrations, models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState
from django.db.models.functions import Now

from tests.migrations import MARK, troubles

# What was there before two releases had to live with one database.
FIRST = {"chat": "0010_people_like_to_be"}
APPS = ("chat", "feeds")


def test_code_of_the_release_before_can_live_with_every_new_migration() -> None:
    loader = MigrationLoader(None)
    found = []
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        if app in APPS and name > FIRST.get(app, ""):
            before = loader.project_state((app, name), at_end=False)
            found += troubles(migration, before)
    assert found == [], "docs/development.md says how to write a migration"


STATE = ProjectState(
    {
        ("chat", "thing"): ModelState(
            "chat",
            "Thing",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=20)),
                ("note", models.TextField(null=True)),
                ("count", models.IntegerField(db_default=0)),
            ],
        )
    }
)


def migration(*operations: object, **marks: str) -> Migration:
    made = type("Migration", (Migration,), {"operations": list(operations), **marks})
    return made("0099_sample", "chat")


def nothing(apps: object, schema_editor: object) -> None:
    """Which nobody can tell from outside."""


GOOD = {
    "a new table": lambda: migrations.CreateModel("Other", [("id", models.BigAutoField(primary_key=True))]),
    "a column that may be null": lambda: migrations.AddField("thing", "at", models.DateTimeField(null=True)),
    "a column that the database fills": lambda: migrations.AddField(
        "thing", "at", models.DateTimeField(db_default=Now())
    ),
    "a table between two": lambda: migrations.AddField("thing", "others", models.ManyToManyField("chat.Thing")),
    "an index": lambda: migrations.AddIndex("thing", models.Index(fields=["name"], name="by_name")),
    "a longer text": lambda: migrations.AlterField("thing", "name", models.CharField(max_length=40)),
    "a text without end": lambda: migrations.AlterField("thing", "name", models.TextField()),
    "a larger number": lambda: migrations.AlterField("thing", "count", models.BigIntegerField(db_default=0)),
    "what may be null now": lambda: migrations.AlterField("thing", "name", models.CharField(max_length=20, null=True)),
    "what only the code knows": lambda: migrations.SeparateDatabaseAndState(
        state_operations=[migrations.RemoveField("thing", "note")]
    ),
}
BAD = {
    "a column goes": (lambda: migrations.RemoveField("thing", "note"), "what is gone"),
    "a column has another name": (lambda: migrations.RenameField("thing", "note", "remark"), "what is gone"),
    "a table goes": (lambda: migrations.DeleteModel("thing"), "what is gone"),
    "a table has another name": (lambda: migrations.RenameModel("Thing", "Item"), "what is gone"),
    "a table lies elsewhere": (lambda: migrations.AlterModelTable("thing", "item"), "what is gone"),
    "a column lies elsewhere": (
        lambda: migrations.AlterField("thing", "name", models.CharField(max_length=20, db_column="title")),
        "what is gone",
    ),
    "a column that only new code fills": (
        lambda: migrations.AddField("thing", "kind", models.CharField(max_length=5, default="a")),
        "leaves it out",
    ),
    "null is no longer allowed": (lambda: migrations.AlterField("thing", "note", models.TextField()), "leave it out"),
    "null is filled, not allowed": (
        lambda: migrations.AlterField("thing", "note", models.TextField(db_default="")),
        "write null",
    ),
    "the database fills no longer": (
        lambda: migrations.AlterField("thing", "count", models.IntegerField(default=0)),
        "leave it out",
    ),
    "a shorter text": (
        lambda: migrations.AlterField("thing", "name", models.CharField(max_length=10)),
        "more than is allowed",
    ),
    "another type": (
        lambda: migrations.AlterField("thing", "count", models.TextField(db_default="")),
        "the other type",
    ),
    "only one of each": (
        lambda: migrations.AlterField("thing", "name", models.CharField(max_length=20, unique=True)),
        "no longer allowed",
    ),
    "a rule": (
        lambda: migrations.AddConstraint("thing", models.UniqueConstraint(fields=["name"], name="one")),
        "no longer allowed",
    ),
    "SQL": (lambda: migrations.RunSQL("DROP TABLE chat_thing"), MARK),
    "Python": (lambda: migrations.RunPython(nothing), MARK),
    "something inside": (
        lambda: migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField("thing", "note")]),
        "what is gone",
    ),
}


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_old_code_can_live_with(make: Callable[[], object]) -> None:
    assert troubles(migration(make()), STATE) == []


@pytest.mark.parametrize(("make", "why"), BAD.values(), ids=BAD)
def test_old_code_cannot_live_with(make: Callable[[], object], why: str) -> None:
    (sentence,) = troubles(migration(make()), STATE)
    assert why in sentence
    assert "0099_sample" in sentence


@pytest.mark.parametrize(("make", "why"), BAD.values(), ids=BAD)
def test_a_migration_that_says_why_it_can_be_is_believed(make: Callable[[], object], why: str) -> None:
    assert troubles(migration(make(), **{MARK: "Nothing since 0.2.0 reads it."}), STATE) == []


def test_what_comes_later_in_a_migration_is_held_against_what_came_before() -> None:
    steps = (
        migrations.AddField("thing", "at", models.DateTimeField(null=True)),
        migrations.AlterField("thing", "at", models.DateTimeField()),
    )
    assert "leave it out" in troubles(migration(*steps), STATE)[0]
