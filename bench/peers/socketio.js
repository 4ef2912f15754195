// A room for each `room` in the address: what one socket says, all of its room are sent.
"use strict";

const { createServer } = require("node:http");
const { Server } = require("socket.io");

const server = createServer();
const io = new Server(server, { transports: ["websocket"] });

io.on("connection", (socket) => {
  const { room } = socket.handshake.query;
  socket.join(room);
  socket.on("message", (message) => io.to(room).emit("message", message));
});

server.listen(Number(process.argv[2]), "127.0.0.1");
