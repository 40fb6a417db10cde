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

// One secret, or two with a space between while you change from one to the other.
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

// isAuthentic says whether the holder of a secret signed exactly this, not more than five minutes ago.
func isAuthentic(keys [][]byte, headers http.Header, body []byte) bool {
	// A header that comes twice is joined, and then fits no signature.
	id := strings.Join(headers.Values("webhook-id"), ", ")
	timestamp := strings.Join(headers.Values("webhook-timestamp"), ", ")
	signatures := strings.Join(headers.Values("webhook-signature"), ", ")
	if !idForm.MatchString(id) || !timestampForm.MatchString(timestamp) || !signaturesForm.MatchString(signatures) {
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

	// Stands for your database: a table with a unique index on the id, which is the same when an event is sent again.
	var events sync.Map

	http.HandleFunc("POST /webhooks", func(response http.ResponseWriter, request *http.Request) {
		// The body byte by byte as it was sent: the signature is over these bytes.
		body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, bodyBytesMax))
		if err != nil {
			http.Error(response, "too long", http.StatusRequestEntityTooLarge)
			return
		}
		if !isAuthentic(keys, request.Header, body) {
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
