// Receives webhooks with net/http and the library of Standard Webhooks.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const bodyBytesMax = 1 << 20

// One secret, or two with a space between while you change from one to the other.
func readSecrets() []*standardwebhooks.Webhook {
	var webhooks []*standardwebhooks.Webhook
	for _, secret := range strings.Fields(os.Getenv("WEBHOOK_SECRET")) {
		webhook, err := standardwebhooks.NewWebhook(secret)
		// The library takes a secret without a key, by which everybody could sign.
		if err != nil || len(secret) < 32 {
			log.Fatal("WEBHOOK_SECRET is not whsec_…")
		}
		webhooks = append(webhooks, webhook)
	}
	if len(webhooks) == 0 {
		log.Fatal("Set WEBHOOK_SECRET to whsec_…")
	}
	return webhooks
}

// isAuthentic says whether the holder of a secret signed exactly this, not more than five minutes ago.
func isAuthentic(webhooks []*standardwebhooks.Webhook, headers http.Header, body []byte) bool {
	for _, webhook := range webhooks {
		if webhook.Verify(body, headers) == nil {
			return true
		}
	}
	return false
}

func main() {
	webhooks := readSecrets()

	// Stands for your database: a table with a unique index on the id, which is the same when an event is sent again.
	var events sync.Map

	http.HandleFunc("POST /webhooks", func(response http.ResponseWriter, request *http.Request) {
		// The body byte by byte as it was sent: the signature is over these bytes.
		body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, bodyBytesMax))
		if err != nil {
			http.Error(response, "too long", http.StatusRequestEntityTooLarge)
			return
		}
		if !isAuthentic(webhooks, request.Header, body) {
			http.Error(response, "not authentic", http.StatusBadRequest)
			return
		}

		id := request.Header.Get("webhook-id")
		if _, known := events.LoadOrStore(id, body); !known {
			// Kept. Answer, and work on it afterwards: json.Unmarshal gives type, timestamp and data.
			fmt.Println("received", id)
		}
		response.WriteHeader(http.StatusNoContent)
	})

	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("port", listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{ReadTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}
