"""What is there to read hangs together: every picture and page that is named exists."""

import re
from pathlib import Path

import pytest
from lxml import html

ROOT = Path(__file__).parents[2]
ADDONS = sorted(path.parent for path in ROOT.glob("client_equipment*/__manifest__.py"))
TEXTS = sorted(
    [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("client_*/readme/*.md")]
)
STORE_PAGES = [addon / "static/description/index.html" for addon in ADDONS]


def named(page):
    """Return the links and pictures of a page that are files of this repository."""
    text = page.read_text()
    if page.suffix == ".html":
        links = [link for _tag, _name, link, _at in html.fromstring(text).iterlinks()]
    else:
        links = re.findall(r"\]\(([^)\s]+)\)", text)
    links = [link.partition("#")[0] for link in links if "://" not in link]
    return {(page.parent / link).resolve() for link in links if link}


@pytest.mark.parametrize(
    "page", TEXTS + STORE_PAGES, ids=lambda page: str(page.relative_to(ROOT))
)
def test_links(page):
    """What a page names is there."""
    assert not {path for path in named(page) if not path.exists()}


def test_pictures():
    """Each picture is shown somewhere."""
    pictures = {*ROOT.glob("docs/images/*.png")}
    for addon in ADDONS:
        pictures |= {*addon.glob("static/description/*.png")}
    shown = set().union(*map(named, TEXTS + STORE_PAGES))
    assert {path.name for path in pictures - shown} == {
        "icon.png",
        "main_screenshot.png",
    }


@pytest.mark.parametrize("page", STORE_PAGES, ids=lambda page: page.parents[2].name)
def test_store_page(page):
    """A store page is plain HTML: no scripts or styles, nothing from elsewhere."""
    document = html.fromstring(page.read_text())
    assert not document.xpath("//script | //style | //link | //iframe | //form")
    assert not [link for *_rest, link, _at in document.iterlinks() if "//" in link]
    assert all(image.get("alt") for image in document.iter("img"))


@pytest.mark.parametrize("addon", ADDONS, ids=lambda addon: addon.name)
def test_license(addon):
    """Each addon brings the license text along, wherever it is copied to."""
    assert (addon / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
