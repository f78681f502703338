"""The object store with the files of S2iBinaries: any that speaks S3."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3

from servicekit.sections import S3Config

if TYPE_CHECKING:
    from minio import Minio

TIMEOUT = urllib3.Timeout(connect=5, read=20)
"""Seconds for a connection, and for an answer."""

_GONE = frozenset({"NoSuchKey", "NoSuchBucket"})


class StoreError(Exception):
    """The store refused, or did not answer; `reason` is one CamelCase word."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class BinaryStore:
    """Deletes files. Everything about S3 is here."""

    def __init__(self, config: S3Config) -> None:
        self._config = config
        self._client: Minio | None = None

    @property
    def configured(self) -> bool:
        """Whether there is a store at all."""
        return self._config.enabled

    async def delete(self, key: str) -> None:
        """Deletes a file; that it is not there is fine. Raises StoreError."""
        await asyncio.to_thread(self._delete, key)

    def _delete(self, key: str) -> None:
        from minio.error import MinioException, S3Error

        try:
            self._open().remove_object(self._config.bucket, key)
        except S3Error as error:
            if error.code not in _GONE:
                reason = error.code if error.code and error.code.isalnum() else "StoreRefused"
                raise StoreError(reason, f"the object store refused: {error.message}") from error
        except (MinioException, urllib3.exceptions.HTTPError, ValueError, OSError) as error:
            raise StoreError("StoreUnreachable", f"the object store did not answer: {error}") from error

    def _open(self) -> Minio:
        # The library takes its time to load, and most installations have no store.
        from minio import Minio

        if self._client is None:
            address, secure = address_of(self._config)
            self._client = Minio(
                address,
                access_key=self._config.access_key_id or None,
                secret_key=self._config.secret_access_key.get_secret_value() or None,
                session_token=self._config.session_token.get_secret_value() or None,
                secure=secure,
                region=self._config.region,
                http_client=urllib3.PoolManager(timeout=TIMEOUT, retries=False, maxsize=8, block=True),
            )
            if not self._config.force_path_style:
                self._client.enable_virtual_style_endpoint()
        return self._client


def address_of(config: S3Config) -> tuple[str, bool]:
    """`host:port` of the store, and whether it is spoken to by TLS. An endpoint may say so by its scheme."""
    if "://" not in config.endpoint:
        return config.endpoint, not config.disable_ssl
    parts = urlsplit(config.endpoint)
    return parts.netloc, parts.scheme == "https"
