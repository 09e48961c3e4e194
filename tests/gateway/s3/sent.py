"""Uploads in parts, made step by step for tests."""

import base64
import os
from typing import Any

LEAST = 5 << 20
"""Bytes of every part but the last."""

DATA = os.urandom(LEAST)


class Sent:
    """An upload whose parts are sent one by one."""

    def __init__(self, client: Any, bucket: str, key: str = "k", **said: Any) -> None:
        self.client, self.parts = client, list[dict[str, Any]]()
        self.place = {"Bucket": bucket, "Key": key}
        self.begun = client.create_multipart_upload(**self.place, **said)
        self.place["UploadId"] = self.begun["UploadId"]

    def part(self, number: int, data: bytes, **said: Any) -> Any:
        """Send a part and choose it for the end."""
        answer = self.client.upload_part(**self.place, PartNumber=number, Body=data, **said)
        chosen = {"PartNumber": number, "ETag": answer["ETag"]}
        chosen |= {n: v for n, v in answer.items() if n.startswith("Checksum")}
        self.parts.append(chosen)
        return answer

    def complete(self, parts: list[dict[str, Any]] | None = None, **said: Any) -> Any:
        """Complete the upload with the chosen parts, or with others."""
        chosen = {"Parts": self.parts if parts is None else parts}
        return self.client.complete_multipart_upload(**self.place, MultipartUpload=chosen, **said)


def spelled(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
