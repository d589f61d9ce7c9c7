"""What watches one server, wired from the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from app.server.services import Services

from .logs import ServerLog
from .measures import Measures
from .reports import ErrorReports
from .watching import Watch


@dataclass(frozen=True)
class Observing:
    """The parts that watch one server.

    Attributes:
        log: none where nothing is logged.
        reports: none where nothing is reported.
        needs_vault: whether no key opens while the vault is locked.
    """

    measures: Measures
    log: ServerLog | None = None
    reports: ErrorReports | None = None
    needs_vault: bool = False

    @classmethod
    def silent(cls, services: Services) -> Observing:
        """Counts, and tells nobody."""
        return cls(Measures(lambda: services.pool.loaded()))

    @classmethod
    def start(
        cls, services: Services, logs: Path, *, needs_vault: bool, environ: Mapping[str, str] | None = None
    ) -> Observing:
        """As the settings say; log lines go where they should from now on.

        Args:
            services: what answers.
            logs: the folder for logs.
            needs_vault: whether no key opens while the vault is locked.
            environ: the environment as the gate sees it; what it holds of secrets is not written.

        Raises:
            SettingsError: when the log cannot be written, or the address for reports is none.
        """
        chosen = services.settings.observability
        # The program's own, so that keys which are fetched later, from the vault or a keyring, are known too.
        services.masker.learn_environment(environ or {})
        services.masker.learn(chosen.sentry_dsn)
        log = ServerLog(chosen, logs, services.masker) if chosen.log_to != "off" else None
        if log is not None:
            log.start()
        try:
            reports = ErrorReports.chosen(chosen.sentry_dsn, services.policy)
        except BaseException:
            if log is not None:
                log.close()
            raise
        return cls(Measures(lambda: services.pool.loaded()), log, reports, needs_vault)

    def around(self, app: ASGIApp, crashed: Callable[[str], ASGIApp]) -> Watch:
        """A layer around an application that watches it; see ``Watch``."""
        return Watch(app, self, crashed)

    async def aclose(self) -> None:
        """Sends and writes what waits."""
        if self.reports is not None:
            await self.reports.aclose()
        if self.log is not None:
            self.log.close()
