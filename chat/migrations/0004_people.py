from django.db import migrations, models

from chat.lookalike import skeleton


def fill_skeletons(apps, schema_editor):
    """Accounts that were there before names were compared by their looks."""
    accounts = apps.get_model("chat", "User").objects.filter(skeleton="")
    for user in accounts.only("username").iterator():
        user.skeleton = skeleton(user.username)[:300]
        user.save(update_fields=["skeleton"])


class Migration(migrations.Migration):
    dependencies = [("chat", "0003_moderation")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="former_keys",
            field=models.CharField(blank=True, default="", editable=False, max_length=400),
        ),
        migrations.RunPython(fill_skeletons, migrations.RunPython.noop, elidable=False),
    ]
