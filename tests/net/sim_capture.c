#include "sim_capture.h"

#include <string.h>

enum {
    SECTION_HEADER = 0x0A0D0D0A,
    INTERFACE_DESCRIPTION = 1,
    ENHANCED_PACKET = 6,
    BYTE_ORDER_MAGIC = 0x1A2B3C4D,
    LINKTYPE_ETHERNET = 1,
    OPTION_COMMENT = 1,
    OPTION_IF_NAME = 2,
    BODY_MAX = 2048,
};

/* The body of a block, in the machine's byte order. */
struct body {
    size_t length;
    uint8_t bytes[BODY_MAX];
};

static void put(struct body *body, const void *bytes, size_t length)
{
    memcpy(body->bytes + body->length, bytes, length);
    body->length += length;
    while (body->length % 4) {
        body->bytes[body->length++] = 0;
    }
}

static void put_word(struct body *body, uint32_t word)
{
    put(body, &word, sizeof word);
}

static void put_option(struct body *body, uint16_t code, const char *text)
{
    put_word(body, (uint32_t)strlen(text) << 16 | code);
    put(body, text, strlen(text));
    put_word(body, 0); /* end of options */
}

static void write_block(FILE *file, uint32_t type, const struct body *body)
{
    uint32_t total = (uint32_t)body->length + 12, head[2] = {type, total};
    (void)fwrite(head, sizeof head, 1, file);
    (void)fwrite(body->bytes, body->length, 1, file);
    (void)fwrite(&total, sizeof total, 1, file);
}

FILE *capture_open(const char *path, const char *const names[2])
{
    static struct body body;
    FILE *file = fopen(path, "wb");
    if (!file) {
        return NULL;
    }
    body.length = 0;
    put_word(&body, BYTE_ORDER_MAGIC);
    put_word(&body, 1); /* version 1.0 */
    put_word(&body, UINT32_MAX);
    put_word(&body, UINT32_MAX); /* of unknown length */
    write_block(file, SECTION_HEADER, &body);
    for (unsigned i = 0; i < 2; i++) {
        body.length = 0;
        put_word(&body, LINKTYPE_ETHERNET);
        put_word(&body, 0); /* frames are whole */
        put_option(&body, OPTION_IF_NAME, names[i]);
        write_block(file, INTERFACE_DESCRIPTION, &body);
    }
    return file;
}

void capture_frame(FILE *file, unsigned interface, uint64_t time_ms, const uint8_t *frame, size_t length,
                   const char *comment)
{
    static struct body body;
    uint64_t time_us = time_ms * 1000;
    body.length = 0;
    put_word(&body, interface);
    put_word(&body, (uint32_t)(time_us >> 32));
    put_word(&body, (uint32_t)time_us);
    put_word(&body, (uint32_t)length);
    put_word(&body, (uint32_t)length);
    put(&body, frame, length);
    if (*comment) {
        put_option(&body, OPTION_COMMENT, comment);
    }
    write_block(file, ENHANCED_PACKET, &body);
}

bool capture_close(FILE *file)
{
    bool failed = ferror(file);
    return fclose(file) == 0 && !failed;
}
