"""A websocket server on the websockets package, with permessage-deflate: echoes.

    python websocket_endpoint.py

Says `listening PORT`, and `opened EXTENSIONS` of each connection.
"""

import asyncio

from websockets.asyncio.server import serve


async def echo(connection):
    extensions = ",".join(type(each).__name__ for each in connection.protocol.extensions)
    print(f"opened {extensions}", flush=True)
    async for message in connection:
        await connection.send(message)


def choose(connection, offered):
    return "chat" if "chat" in offered else None


async def main():
    async with serve(echo, "127.0.0.1", 0, select_subprotocol=choose, max_size=1 << 26) as server:
        print(f"listening {server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


asyncio.run(main())
