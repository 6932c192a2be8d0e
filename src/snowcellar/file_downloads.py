"""GET: the client fetches staged files over HTTP, as it would from presigned URLs of a cloud store."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, Response

_KEPT_TICKETS = 10_000


def target(request: Request, download: dict[str, Any]) -> dict[str, Any]:
    """Tell the client where it finds the files of a GET: each behind a ticket of its own."""
    tickets: OrderedDict[str, Path] = request.app.state.download_tickets
    urls = []
    for file in download["files"].values():
        ticket = token_urlsafe(16)
        tickets[ticket] = Path(file)
        name = quote(Path(file).name)
        urls.append(f"{request.url.scheme}://{request.url.netloc}/fs_bucket/{ticket}/{name}")
    while len(tickets) > _KEPT_TICKETS:
        tickets.popitem(last=False)
    return {
        "command": "DOWNLOAD",
        "src_locations": list(download["files"]),
        "presignedUrls": urls,
        "localLocation": download["localLocation"],
        "encryptionMaterial": [],
        "parallel": 4,
        "stageInfo": {
            "locationType": "GCS",
            "location": f"{download['stage_name']}/",
            "creds": {},
            "presignedUrl": urls[0],
        },
    }


async def fetch(request: Request) -> Response:
    """A file for which a ticket was made."""
    file: Path | None = request.app.state.download_tickets.get(request.path_params["ticket"])
    if file is None or not file.is_file():
        return Response(status_code=404)
    return FileResponse(file)
