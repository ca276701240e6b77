"""The page: all of its screens, files and descriptions as routes."""

from memferry.http.app import Page, Services, list_operations
from memferry.page.assets import Assets
from memferry.page.export_builder import ExportBuilderScreens
from memferry.page.exports import ExportScreens
from memferry.page.home import HomeScreens
from memferry.page.imports import ImportScreens
from memferry.page.memories import MemoryListScreens
from memferry.page.memory import MemoryScreens
from memferry.page.new_memory import NewMemoryScreens
from memferry.page.reference import reference_routes
from memferry.page.screens import Screen, ScreenRoutes
from memferry.page.settings import SettingsScreens
from memferry.page.sign_in import SignInScreens
from memferry.page.templates import Templates
from memferry.page.threads import ThreadScreens
from memferry.page.token_settings import TokenSettingScreens
from memferry.page.twins import list_twins
from memferry.page.webhook_settings import WebhookSettingScreens

# Addresses that put files into the store.
_SLOW_PATHS = ("/imports", "/imports/run")


def make_page(services: Services) -> Page:
    """Make the routes of all screens and of their files, and what shows errors elsewhere."""
    assets = Assets()
    templates = Templates(assets)
    screens = ScreenRoutes(services, templates)
    routes = [
        assets.route(),
        *reference_routes(list_operations(services)),
        *(screens.route(screen) for screen in list_screens(services, templates)),
    ]
    return Page(routes, _SLOW_PATHS, screens.show_fault)


def list_screens(services: Services, templates: Templates) -> list[Screen]:
    """List all screens; if two patterns fit an address, the first one counts."""
    sign_in = SignInScreens(templates, services.sign_ins, services.tokens)
    groups = (
        sign_in,
        HomeScreens(templates, sign_in, services.overview, services.exports, services.imports),
        MemoryListScreens(templates, services.memories, services.memory_erasure, services.exports),
        NewMemoryScreens(templates, services.memories),
        MemoryScreens(
            templates,
            services.memories,
            services.history,
            services.memory_erasure,
            services.tokens,
        ),
        ThreadScreens(templates, services.memories, services.lists),
        ExportBuilderScreens(templates, services.exports),
        ExportScreens(
            templates,
            services.exports,
            services.downloads,
            services.tokens,
            services.audit,
            services.memory,
        ),
        ImportScreens(templates, services.imports, most_bytes=services.import_bytes),
        SettingsScreens(
            templates, services.tokens, services.limits, services.audit, services.exports
        ),
        TokenSettingScreens(templates, services.tokens),
        WebhookSettingScreens(templates, services.webhooks),
    )
    screens = [screen for group in groups for screen in group.screens()]
    return [*screens, *list_twins(list_operations(services))]
