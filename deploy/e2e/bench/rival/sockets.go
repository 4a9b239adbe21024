package rival

import (
	"context"
	"log/slog"
	"net"
	"strings"

	"github.com/fasthttp/websocket"
	contrib "github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

// bufferBytes is the size of a socket's buffers, as the gateway has them.
const bufferBytes = 4 << 10

// An answerer answers the frames of one connection, in turn. What it returns is written before it is called again.
type answerer func(ctx context.Context, circle string, frame []byte) ([]byte, error)

// serveSockets is the gateway's WebSocket stack around an answerer, of which each connection gets its own. Connections
// that are open when ctx ends are left to the end of the process.
func serveSockets(ctx context.Context, log *slog.Logger, make func() answerer) error {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/:circle", func(c *fiber.Ctx) error {
		c.Locals("circle", strings.Clone(c.Params("circle")))
		return c.Next()
	}, contrib.New(func(c *contrib.Conn) {
		circle, _ := c.Locals("circle").(string)
		answer := make()
		for {
			_, frame, err := c.ReadMessage()
			if err != nil {
				return
			}
			reply, err := answer(ctx, circle, frame)
			if err == nil {
				err = c.WriteMessage(websocket.TextMessage, reply)
			}
			if err != nil {
				log.Error("a connection ends", "error", err)
				return
			}
		}
	}, contrib.Config{ReadBufferSize: bufferBytes, WriteBufferSize: bufferBytes}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	log.Info(Listens, "addr", listener.Addr().String())
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	if err := app.Listener(listener); ctx.Err() == nil {
		return err
	}
	return nil
}
