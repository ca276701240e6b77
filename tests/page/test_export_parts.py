"""An export in parts in a browser: every part is downloaded, and the command shown verifies all."""

import hashlib
from pathlib import Path

from playwright.async_api import Locator, expect

from memferry.model.export import LEAST_PART_BYTES
from support.command_line import run_memferry
from support.people import Person
from support.screens import Reader


async def download(link: Locator, folder: Path) -> None:
    async with link.page.expect_download() as downloads:
        await link.click()
    file = await downloads.value
    await file.save_as(folder / file.suggested_filename)


async def test_parts_are_verified_by_the_command_on_their_screen(
    reader: Reader, alice: Person, tmp_path: Path
) -> None:
    for number in range(3):
        alice.save(hashlib.shake_256(b"%d" % number).hexdigest(450_000))
    export = alice.export(format="ndjson", max_part_bytes=LEAST_PART_BYTES)
    page = await reader.open(f"/exports/{export['id']}")
    parts = page.get_by_role("link", name="Download part")
    await expect(parts).to_have_count(3, timeout=30_000)
    for link in await parts.all():
        await download(link, tmp_path)
    await download(page.get_by_role("link", name="manifest", exact=True), tmp_path)
    command, _, _ = (await page.locator("pre code").inner_text()).partition("\n")
    program, *words, name = command.split()
    result = run_memferry(*words, str(tmp_path / name))

    assert program == "memferry"
    assert len(list(tmp_path.glob("*.part-*"))) == 3
    assert (result.returncode, result.stderr) == (0, b""), result.stdout
    assert await reader.list_violations() == []
