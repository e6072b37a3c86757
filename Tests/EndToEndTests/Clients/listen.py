"""A device on the Python package `websockets`: hello, one message, both kinds of ping, and a clean end.

    TOKEN=… listen.py ws://127.0.0.1:8300/v1/connect

Prints one line for each thing that happens; exits 0 when all of them did.
"""

import asyncio
import json
import os
import sys

from websockets.asyncio.client import connect


async def main(url: str, token: str) -> None:
    async def heard(operation: str) -> dict:
        frame = json.loads(await asyncio.wait_for(socket.recv(), 30))
        if frame["op"] != operation:
            raise SystemExit(f"expected {operation}, got {frame}")
        return frame

    async with connect(url, subprotocols=["windfire.v1"]) as socket:
        if socket.subprotocol != "windfire.v1":
            raise SystemExit(f"the subprotocol is {socket.subprotocol}")
        await socket.send(json.dumps({"op": "hello", "token": token}))
        welcome = await heard("welcome")
        print("welcome", welcome["client"], welcome["device"], welcome["node"], flush=True)

        message = await heard("message")
        print("message", message["id"], message["data"]["text"], flush=True)
        await socket.send(json.dumps({"op": "ack", "id": message["id"]}))

        await socket.send(json.dumps({"op": "ping"}))
        await heard("pong")
        print("pong to an op", flush=True)
        await asyncio.wait_for(await socket.ping(), 30)
        print("pong to a frame", flush=True)

    print("closed", socket.close_code, flush=True)


asyncio.run(main(sys.argv[1], os.environ["TOKEN"]))
