"""The simulated Convoso as tests speak to it."""

from typing import Any, Final

from tests.services.simulator.support import NUMBER, Simulator

TOKEN: Final = "convoso-test-token"
OTHER: Final = "+15615550124"


class Convoso:
    """Forms in, answers out; and the verbs of `/simulator/convoso`."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    @property
    def base(self) -> str:
        return f"{self.simulator.base}/convoso/v1"

    async def raw(self, path: str, token: str | None = TOKEN, **form: str) -> tuple[int, Any]:
        sent = form | ({"auth_token": token} if token is not None else {})
        async with self.simulator.session.post(f"{self.base}/{path}", data=sent) as response:
            return response.status, await response.json(content_type=None)

    async def ask(self, path: str, **form: str) -> Any:
        status, answer = await self.raw(path, **form)
        assert status == 200
        return answer

    async def leads(self, *leads: dict[str, Any]) -> list[str]:
        return list((await self.simulator.done("POST", "/simulator/convoso/leads", list(leads)))["ids"])

    async def lead(self, phone_number: str = NUMBER) -> Any:
        found = await self.simulator.done("GET", f"/simulator/convoso/leads?phone_number={phone_number[1:]}")
        return found["leads"][0]

    async def agent(self, status: str, phone_number: str = NUMBER) -> None:
        await self.simulator.done("POST", "/simulator/convoso/agent", {"phone_number": phone_number, "status": status})

    async def requests(self, path: str) -> list[dict[str, Any]]:
        return list((await self.simulator.done("GET", f"/simulator/convoso/requests?path={path}"))["requests"])
