"""What a storage is configured with, by its kind: dagster-deltalake's classes.

Here belongs what those classes lack. Not here: what the options are called by the libraries
(`delta/storage.py`), and what a configuration file may say (`configuration/storage.py`).
"""

from dagster_deltalake.config import AzureConfig, GcsConfig, LocalConfig, S3Config

from overwatch_assets.configuration.storage import Provider


class AzureServiceConfig(AzureConfig):
    """Azure's options, and where its service is.

    Attributes:
        endpoint: Address of the account's Blob service; None: Azure's public cloud.
    """

    endpoint: str | None = None


PROVIDERS = {
    Provider.LOCAL: LocalConfig,
    Provider.S3: S3Config,
    Provider.AZURE: AzureServiceConfig,
    Provider.GCS: GcsConfig,
}
