"""What a migration may do while code of the release before still runs, and may have to run again.

New code is put into service in two steps. *Expand*: the migration adds what old code does not miss and need not know.
*Contract*, a release later, when nothing that runs knows of it any more: what is no longer used goes. A migration says
that it is of the second kind, or that old code can live with something that cannot be known from outside, by
``lives_with_the_release_before``: a sentence that says why.
"""

from django.db import models
from django.db.migrations import Migration
from django.db.migrations import operations as ops
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED

MARK = "lives_with_the_release_before"

_GONE = (ops.DeleteModel, ops.RemoveField, ops.RenameModel, ops.RenameField, ops.AlterModelTable)
_PROMISES = (ops.AddConstraint, ops.AlterUniqueTogether, ops.AlterIndexTogether, ops.AlterOrderWithRespectTo)
_UNKNOWN = (ops.RunSQL, ops.RunPython)
_HARMLESS = (
    *(ops.CreateModel, ops.AddIndex, ops.RemoveIndex, ops.RenameIndex, ops.RemoveConstraint),
    *(ops.AlterModelOptions, ops.AlterModelManagers, ops.AlterModelTableComment),
)


def troubles(migration: Migration, before: ProjectState) -> list[str]:
    """What code of the release before cannot live with in ``migration``, which is applied to ``before``: a sentence
    each. Nothing where the migration says that it can."""
    if getattr(migration, MARK, ""):
        return []
    state, found = before.clone(), []
    for operation in migration.operations:
        found += [f"{migration}: {each}" for each in _troubles(operation, migration.app_label, state)]
        operation.state_forwards(migration.app_label, state)
    return found


def _troubles(operation: Operation, app: str, state: ProjectState) -> list[str]:
    what = operation.describe()
    if isinstance(operation, ops.SeparateDatabaseAndState):
        return [each for inner in operation.database_operations for each in _troubles(inner, app, state)]
    if isinstance(operation, _HARMLESS):
        return []
    if isinstance(operation, _GONE):
        return [f"{what}: old code asks for what is gone"]
    if isinstance(operation, _PROMISES):
        return [f"{what}: old code may write what is no longer allowed"]
    if isinstance(operation, ops.AddField):
        is_left_out = isinstance(operation.field, models.ManyToManyField) or _may_be_left_out(operation.field)
        return [] if is_left_out else [f"{what}: old code leaves it out; let it be null, or give it a db_default"]
    if isinstance(operation, ops.AlterField):
        old = state.models[app, operation.model_name_lower].fields[operation.name]
        return [f"{what}: {why}" for why in _narrower(old, operation.field)]
    if isinstance(operation, _UNKNOWN):
        return [f"{what}: say in {MARK} why old code can live with it"]
    return [f"{what}: {type(operation).__name__} is not known here"]


def _may_be_left_out(field: models.Field) -> bool:
    return field.null or field.db_default is not NOT_PROVIDED


def _narrower(old: models.Field, new: models.Field) -> list[str]:
    """How ``new`` allows less than ``old``."""
    found = []
    if type(old) is not type(new) and not _is_wider(old, new):
        found.append("old code may not understand the other type")
    if old.db_column != new.db_column:
        found.append("old code asks for what is gone")
    if _may_be_left_out(old) and not _may_be_left_out(new):
        found.append("old code may leave it out")
    elif old.null and not new.null:
        found.append("old code may write null")
    if new.max_length is not None and (old.max_length is None or new.max_length < old.max_length):
        found.append("old code may write more than is allowed")
    if (new.unique and not old.unique) or (
        getattr(new, "db_constraint", False) and not getattr(old, "db_constraint", False)
    ):
        found.append("old code may write what is no longer allowed")
    return found


def _is_wider(old: models.Field, new: models.Field) -> bool:
    wider = {
        models.SmallIntegerField: (models.IntegerField, models.BigIntegerField),
        models.IntegerField: (models.BigIntegerField,),
        models.CharField: (models.TextField,),
    }
    return type(new) in wider.get(type(old), ())
