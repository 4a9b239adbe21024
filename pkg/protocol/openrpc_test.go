package protocol_test

import (
	"encoding/json"
	"testing"

	"circles/pkg/protocol"
)

func TestOpenRPC(t *testing.T) {
	document, err := protocol.OpenRPC(protocol.Info{Title: "circles", Version: "1"}, []protocol.Spec{
		{
			Name: protocol.MethodPlay, Summary: "runs a script",
			Params: protocol.PlayParams{}, Result: protocol.PlayResult{},
			Errors: []protocol.Code{protocol.CodeBusy},
		},
		{Name: protocol.MethodWhoami, Summary: "says who", Params: protocol.WhoamiParams{}, Result: protocol.WhoamiResult{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		OpenRPC string
		Methods []struct {
			Name   string
			Params []struct {
				Name     string
				Required bool
				Schema   map[string]any
			}
			Result struct {
				Name   string
				Schema map[string]any
			}
			Errors []map[string]any
		}
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.OpenRPC != "1.2.6" || len(got.Methods) != 2 {
		t.Fatalf("got %s", raw)
	}
	play := got.Methods[0]
	names := map[string]bool{}
	for _, param := range play.Params {
		names[param.Name] = param.Required
	}
	if len(names) != 4 || !names["script"] || names["args"] || names["timeout_ms"] {
		t.Errorf("the parameters of play are %v", names)
	}
	if play.Params[0].Schema["type"] != "string" || play.Params[2].Schema["type"] != "integer" {
		t.Errorf("the types of play are wrong: %+v", play.Params)
	}
	if play.Result.Name != "Play" || len(play.Result.Schema["properties"].(map[string]any)) != 4 {
		t.Errorf("the result of play is %+v", play.Result)
	}
	if play.Errors[0]["code"] != float64(-32020) || play.Errors[0]["message"] != "busy" {
		t.Errorf("the errors of play are %v", play.Errors)
	}
	if params := got.Methods[1].Params; params == nil || len(params) != 0 {
		t.Errorf("the parameters of whoami are %v, want an empty list", params)
	}
}

func TestEveryCodeHasAMeaning(t *testing.T) {
	for _, code := range []protocol.Code{
		protocol.CodeParse, protocol.CodeInvalidRequest, protocol.CodeMethodNotFound, protocol.CodeInvalidParams, protocol.CodeInternal,
		protocol.CodeAuthRequired, protocol.CodeAuthFailed, protocol.CodeNotPermitted,
		protocol.CodeScript, protocol.CodeTimeout, protocol.CodeLimit, protocol.CodeCancelled,
		protocol.CodeBusy, protocol.CodeRateLimited, protocol.CodeExpired, protocol.CodeGaveUp,
	} {
		if code.Meaning() == protocol.Code(0).Meaning() {
			t.Errorf("%d has no meaning", code)
		}
	}
}
