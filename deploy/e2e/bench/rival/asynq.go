package rival

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"
)

const (
	taskType = "play"
	queue    = "default"

	// retention is how long a result is kept: without it there is none to ask for.
	retention = time.Minute

	// pollFirst and pollMost are how soon a result is asked for, at first and when it is slow to come; idlePoll is how
	// often the worker looks into an empty queue, which by default is once a second.
	pollFirst = 500 * time.Microsecond
	pollMost  = 5 * time.Millisecond
	idlePoll  = time.Millisecond

	// concurrency is that of asynq's worker: it knows no circles, so plays of one run at the same time.
	concurrency = 64
)

func serveAsynqGateway(ctx context.Context, addr string, log *slog.Logger) error {
	redis := asynq.RedisClientOpt{Addr: addr, PoolSize: blocked}
	client := asynq.NewClient(redis)
	inspector := asynq.NewInspector(redis)
	return serveSockets(ctx, log, func() answerer {
		return func(ctx context.Context, _ string, frame []byte) ([]byte, error) {
			id, play, err := read(frame)
			if err != nil {
				return nil, err
			}
			message, err := json.Marshal(play)
			if err != nil {
				return nil, err
			}
			_, err = client.EnqueueContext(ctx, asynq.NewTask(taskType, message), asynq.TaskID(play.ID), asynq.Queue(queue), asynq.Retention(retention))
			if err != nil {
				return nil, err
			}
			result, err := await(inspector, play.ID)
			if err != nil {
				return nil, err
			}
			return answered(id, result), nil
		}
	})
}

// await asks for a task's result until it is there: asynq tells nobody.
func await(inspector *asynq.Inspector, id string) (json.RawMessage, error) {
	end := time.Now().Add(playTimeout)
	for wait := pollFirst; time.Now().Before(end); wait = min(2*wait, pollMost) {
		time.Sleep(wait)
		info, err := inspector.GetTaskInfo(queue, id)
		if err != nil {
			return nil, err
		}
		if info.State == asynq.TaskStateCompleted {
			return info.Result, nil
		}
	}
	return nil, fmt.Errorf("play %s was not answered in %v", id, playTimeout)
}

func serveAsynqWorker(ctx context.Context, addr string, log *slog.Logger) error {
	p := newPlayer()
	server := asynq.NewServer(asynq.RedisClientOpt{Addr: addr, PoolSize: blocked}, asynq.Config{
		Concurrency:       concurrency,
		TaskCheckInterval: idlePoll,
		LogLevel:          asynq.ErrorLevel,
	})
	mux := asynq.NewServeMux()
	mux.HandleFunc(taskType, func(ctx context.Context, t *asynq.Task) error {
		var play task
		if err := json.Unmarshal(t.Payload(), &play); err != nil {
			return err
		}
		result, err := p.play(ctx, play)
		if err != nil {
			return err
		}
		_, err = t.ResultWriter().Write(result)
		return err
	})
	if err := server.Start(mux); err != nil {
		return err
	}
	defer server.Shutdown()
	log.Info(Listens, "addr", addr)
	<-ctx.Done()
	return nil
}
