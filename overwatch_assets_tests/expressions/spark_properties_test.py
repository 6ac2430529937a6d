import polars as pl

from overwatch_assets.expressions.spark_properties import (
    CLUSTER_DETAILS,
    POWER_PROPERTIES,
    power_properties,
)

PROPERTIES = pl.Map(pl.String, pl.String)


def told(properties: dict[str, str] | None) -> dict[str, object]:
    frame = pl.DataFrame({"Properties": [properties]}, {"Properties": PROPERTIES})
    made = frame.select(power_properties(pl.col("Properties")).alias("told"))["told"]
    assert made.dtype == POWER_PROPERTIES
    return made.to_list()[0]


def test_properties_are_found_by_their_name_without_dots() -> None:
    made = told(
        {
            "sparkappname": "Databricks Shell",
            "sparkhadoopfsazureaccountoauth2clientid": "c",
            "principalIdpObjectId": "p",
            "user": "maria@acme.example",
            "sparkdatabricksclusterSource": "UI",
            "sparkdatabricksclusterUsageTagsclusterWorkers": "8",
        }
    )
    assert (made["AppName"], made["AzureOAuth2ClientID"]) == ("Databricks Shell", "c")
    assert (made["principalIdpObjectId"], made["UserEmail"]) == ("p", "maria@acme.example")
    assert made["NotebookID"] is None
    assert isinstance(made["ClusterDetails"], dict)
    assert (made["ClusterDetails"]["ClusterSource"], made["ClusterDetails"]["ActualWorkers"]) == (
        "UI",
        "8",
    )


def test_both_spellings_of_the_user_id_count() -> None:
    assert [told({name: "7"})["UserID"] for name in ("userID", "userId")] == ["7", "7"]


def test_no_properties_are_null_fields() -> None:
    no_details = {field.name: None for field in CLUSTER_DETAILS.fields}
    assert told(None) == {
        **{field.name: None for field in POWER_PROPERTIES.fields},
        "ClusterDetails": no_details,
    }
