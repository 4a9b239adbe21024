package rival

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Subject is what a circle's plays are published to over NATS.
func Subject(circle string) string { return "bench.play." + circle }

// readyTimeout bounds the start of the NATS server.
const readyTimeout = 10 * time.Second

// serveNATS is a NATS server with a WebSocket, whose address is logged as the part's, and a port for its worker, whose
// URL is logged as nats.
func serveNATS(ctx context.Context, log *slog.Logger) error {
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT,
		NoSigs: true, NoLog: true,
		Websocket: server.WebsocketOpts{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoTLS: true},
	})
	if err != nil {
		return err
	}
	s.Start()
	defer s.Shutdown()
	if !s.ReadyForConnections(readyTimeout) {
		return errors.New("the NATS server did not start in time")
	}
	socket, err := url.Parse(s.WebsocketURL())
	if err != nil {
		return err
	}
	log.Info(Listens, "addr", socket.Host, "nats", s.ClientURL())
	<-ctx.Done()
	return nil
}

// serveNATSWorker answers plays as they come. NATS hands a subscription's messages over one by one, as a circle takes its
// plays; it keeps none.
func serveNATSWorker(ctx context.Context, natsURL string, circles []string, log *slog.Logger) error {
	conn, err := nats.Connect(natsURL)
	if err != nil {
		return err
	}
	defer conn.Close()
	p := newPlayer()
	answer := func(m *nats.Msg) {
		id, play, err := read(m.Data)
		if err != nil {
			log.Error("a play is refused", "error", err)
			return
		}
		result, err := p.play(ctx, play)
		if err == nil {
			err = m.Respond(answered(id, result))
		}
		if err != nil {
			log.Error("a play is not answered", "error", err)
		}
	}
	for _, circle := range circles {
		if _, err := conn.Subscribe(Subject(circle), answer); err != nil {
			return err
		}
	}
	if err := conn.Flush(); err != nil {
		return err
	}
	log.Info(Listens, "addr", natsURL)
	<-ctx.Done()
	return nil
}
