"""What is done regularly, and by whom just now."""

from django.db import models


class Job(models.Model):
    """A chore, whichever process does it. Written by ``chat.schedule`` alone: ``holder`` has it until ``expires_at``,
    unless it says before that it goes on."""

    class Outcome(models.TextChoices):
        DONE = "done"
        FAILED = "failed"
        LOST = "lost"  # whoever did it said nothing any more

    name = models.CharField(max_length=32, primary_key=True)
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome, blank=True, default="")
    said = models.CharField(max_length=300, blank=True, default="")
    failures = models.PositiveIntegerField(default=0)  # in a row
    holder = models.CharField(max_length=120, blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name}: due {self.due_at:%Y-%m-%d %H:%M}"
