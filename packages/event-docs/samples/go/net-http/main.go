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

// readSecrets reads one secret, or several separated by spaces while you rotate.
func readSecrets() []*standardwebhooks.Webhook {
	var webhooks []*standardwebhooks.Webhook
	for _, secret := range strings.Fields(os.Getenv("WEBHOOK_SECRET")) {
		webhook, err := standardwebhooks.NewWebhook(secret)
		// The library accepts an empty key, with which anybody could sign.
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

// isAuthentic reports whether this was signed with one of the secrets in the last five
// minutes.
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

	// Stands in for your database. Use a table with a unique index on the id:
	// an event that is sent again has the same id.
	var events sync.Map

	http.HandleFunc("POST /webhooks", func(w http.ResponseWriter, r *http.Request) {
		// The raw body, exactly as sent: these bytes were signed.
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
		if err != nil {
			http.Error(w, "too long", http.StatusRequestEntityTooLarge)
			return
		}
		if !isAuthentic(webhooks, r.Header, body) {
			http.Error(w, "not authentic", http.StatusUnauthorized)
			return
		}

		id := r.Header.Get("webhook-id")
		if _, known := events.LoadOrStore(id, body); !known {
			// Stored. Answer, and do the work later.
			// json.Unmarshal(body, …) gives type, timestamp and data.
			fmt.Println("received", id)
		}
		w.WriteHeader(http.StatusNoContent)
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
