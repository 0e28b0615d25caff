#include "ceiling.h"

#include <CCryptoBoringSSL.h>
#include <stdlib.h>
#include <string.h>

// The calls are those of dtx's RecordCipher.swift. The keys are constants, which keep no secret:
// the cost of a key that both ends agreed on is none per byte.
struct sealer {
  EVP_AEAD_CTX *state;
  uint64_t record_count;
};

struct sealer *sealer_new(int connection) {
  uint8_t key[32];
  memset(key, connection + 1, sizeof key);
  struct sealer *sealer = calloc(1, sizeof *sealer);
  if (!sealer) die("calloc");
  sealer->state = EVP_AEAD_CTX_new(EVP_aead_aes_256_gcm(), key, sizeof key, TAG_BYTES);
  if (!sealer->state) die("EVP_AEAD_CTX_new");
  return sealer;
}

static void next_nonce(struct sealer *sealer, uint8_t nonce[12]) {
  memset(nonce, 0, 12);
  memcpy(nonce + 4, &sealer->record_count, 8);
  sealer->record_count += 1;
}

void seal(struct sealer *sealer, const struct record_head *head, uint8_t *data) {
  uint8_t nonce[12];
  next_nonce(sealer, nonce);
  size_t tag_length = 0;
  int done = EVP_AEAD_CTX_seal_scatter(
      sealer->state, data, data + head->length, &tag_length, TAG_BYTES, nonce, sizeof nonce, data,
      head->length, NULL, 0, (const uint8_t *)head, sizeof *head);
  if (!done || tag_length != TAG_BYTES) die("seal");
}

void unseal(struct sealer *sealer, const struct record_head *head, uint8_t *data) {
  uint8_t nonce[12];
  next_nonce(sealer, nonce);
  int done = EVP_AEAD_CTX_open_gather(
      sealer->state, data, nonce, sizeof nonce, data, head->length, data + head->length, TAG_BYTES,
      (const uint8_t *)head, sizeof *head);
  if (!done) die("open");
}
