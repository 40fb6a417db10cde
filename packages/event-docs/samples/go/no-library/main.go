// Receives webhooks with nothing but Go's standard library.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	tolerance    = 300 // seconds
	bodyBytesMax = 1 << 20
)

var (
	idForm         = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	timestampForm  = regexp.MustCompile(`^[1-9][0-9]{0,10}$`)
	signaturesForm = regexp.MustCompile(`^[!-~]+( [!-~]+){0,31}$`)
)

// readKeys reads one secret, or several separated by spaces while you rotate.
func readKeys() [][]byte {
	var keys [][]byte
	for _, secret := range strings.Fields(os.Getenv("WEBHOOK_SECRET")) {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || len(key) < 24 {
			log.Fatal("WEBHOOK_SECRET is not whsec_…")
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		log.Fatal("Set WEBHOOK_SECRET to whsec_…")
	}
	return keys
}

// isAuthentic reports whether this was signed with one of the secrets in the last five
// minutes.
func isAuthentic(keys [][]byte, headers http.Header, body []byte) bool {
	// A header that is sent twice is joined, and then matches no signature.
	id := strings.Join(headers.Values("webhook-id"), ", ")
	timestamp := strings.Join(headers.Values("webhook-timestamp"), ", ")
	signatures := strings.Join(headers.Values("webhook-signature"), ", ")
	if !idForm.MatchString(id) || !timestampForm.MatchString(timestamp) {
		return false
	}
	if !signaturesForm.MatchString(signatures) {
		return false
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return false
	}
	if age := time.Now().Unix() - seconds; age > tolerance || -age > tolerance {
		return false
	}

	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.", id, timestamp)
		mac.Write(body)
		expected := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		for _, given := range strings.Split(signatures, " ") {
			if hmac.Equal([]byte(given), expected) {
				return true
			}
		}
	}
	return false
}

func main() {
	keys := readKeys()

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
		if !isAuthentic(keys, r.Header, body) {
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
