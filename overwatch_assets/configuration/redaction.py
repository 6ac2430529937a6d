"""What becomes of personal and confidential data before it is stored."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from overwatch_assets.configuration.fields import Secret
from overwatch_assets.configuration.problems import refusal
from overwatch_assets.configuration.storage import Strict
from overwatch_assets.redaction.treatment import Treatment, Treatments


def _in_lower_case(value: object) -> object:
    return value.strip().casefold() if isinstance(value, str) else value


Treated = Annotated[Treatment, BeforeValidator(_in_lower_case)]


class RedactionRules(Strict):
    """What becomes of personal and confidential data before it is stored."""

    emails: Treated = Field(
        default=Treatment.KEEP,
        description="E-mails, which are also the names of users, in whatever text they stand: "
        "`keep`; `hash`, a pseudonym that is the same everywhere; or `drop`.",
        examples=["hash"],
    )
    ip_addresses: Treated = Field(
        default=Treatment.KEEP,
        description="IP addresses, in whatever text they stand: `keep`, `hash` or `drop`.",
        examples=["hash"],
    )
    sql_text: Treated = Field(
        default=Treatment.KEEP,
        description="Text of SQL queries, and what plans and errors repeat of it: `keep`, `hash` "
        "or `drop`.",
        examples=["drop"],
    )
    command_text: Treated = Field(
        default=Treatment.KEEP,
        description="Commands of notebooks and of tasks, and scripts: `keep`, `hash` or `drop`.",
        examples=["drop"],
    )
    key: Secret | None = Field(
        default=None,
        description="Where the key of the pseudonyms is found, 16 letters or more; needed as soon "
        "as something is not kept. Whoever has it can find out who is meant.",
        examples=["env:OVERWATCH_REDACTION_KEY"],
    )

    @model_validator(mode="after")
    def _with_a_key(self) -> Self:
        if self.is_needed and self.key is None:
            what = (
                "redacts without a `key`, which pseudonyms and the hashes of events are made with"
            )
            raise refusal(what, "Write for example `key: env:OVERWATCH_REDACTION_KEY`")
        return self

    @property
    def is_needed(self) -> bool:
        """Whether anything is not kept."""
        return self.treatments != Treatments()

    @property
    def treatments(self) -> Treatments:
        """What becomes of each kind."""
        return Treatments(
            emails=self.emails,
            ip_addresses=self.ip_addresses,
            sql_text=self.sql_text,
            command_text=self.command_text,
        )
