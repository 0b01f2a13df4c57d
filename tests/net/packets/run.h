/*
 * Runs a packet script against a net on the fake device of rig.h, in virtual time. Inside: what its files
 * share.
 */
#ifndef TESTS_NET_PACKETS_RUN_H
#define TESTS_NET_PACKETS_RUN_H

#include "packets/script.h"
#include "rig.h"

#include "net/ping.h"
#include "net/tcp_listen.h"

struct outcome {
    bool passed;
    unsigned line; /* that failed */
    char message[3000];
};

/* Does this build have what the script needs? False with an unknown switch too, which is then in outcome. */
bool script_applies(const struct script *script, struct outcome *outcome);
/* With an error of script_parse the outcome tells that. */
void script_run(const struct script *script, struct outcome *outcome);

/* ---- Private ---- */

enum {
    UDP_SOCKETS = 4,
    DATAGRAMS = 32,
    QUEUED_FRAMES = 256,
    FRAME_ROOM = 1600,
    TEXT_ROOM = 6000,
};

/* Both sides' numbers are relative to their initial ones. */
struct conversation {
    uint32_t peer;
    uint16_t peer_port, our_port;
    uint32_t peer_isn, our_isn;
    bool our_isn_known;
    uint32_t timestamp_base;
    bool timestamp_known;
};

struct socket_state {
    struct tcp_socket *tcp; /* NULL: not used yet */
    uint8_t *tx, *rx;
    uint32_t written, read; /* bytes of the streams so far */
};

struct queued_frame {
    uint32_t at_ms;
    size_t length;
    uint8_t bytes[FRAME_ROOM];
};

/* A frame in words, which lie in `text`. */
struct decoded {
    struct fields fields;
    char text[TEXT_ROOM];
    size_t used;
};

struct run {
    const struct script *script;
    const struct line *line;
    struct outcome *outcome;
    jmp_buf failed;
    struct decoded got;   /* the frame that a line is compared with */
    struct script *inner; /* lines made up by run_words */
    struct rig rig;
    bool open;
    uint32_t start_ms, event_ms; /* event_ms: the last event's time */
    struct conversation conversations[CONVERSATIONS];
    struct socket_state sockets[CONVERSATIONS];
    uint8_t payload[8192];
    /* Settings */
    struct net_config config;
    char texts[3][64];
    size_t tx_size, rx_size;
    bool answer_arp, link_down;
    unsigned offloads;
    /* Frames sent by the net that no line has taken yet */
    struct queued_frame *queue;
    unsigned head, tail;
    struct queued_frame last_sent, last_received;
    /* Of the newest query or message of a client */
    uint32_t dns_id, dns_port, dhcp_xid, sntp_port, ping_id;
    char dns_name[256];
    uint8_t sntp_cookie[8];
    /* Clients */
#if NET_WITH_TCP_LISTEN
    struct tcp_listener listener;
#endif
    struct udp_socket udp[UDP_SOCKETS];
    bool udp_open[UDP_SOCKETS];
    struct {
        unsigned socket;
        uint32_t source;
        uint16_t port, length;
        bool whole;
    } datagrams[DATAGRAMS];
    unsigned datagrams_head, datagrams_tail;
    char resolving[256];
#if NET_WITH_PING
    struct ping ping;
    bool ping_open;
    struct ping_answer answers[DATAGRAMS];
    unsigned answers_head, answers_tail;
#endif
};

_Noreturn void run_fail(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* run.c: hand the net a frame; let it work; sent frames are queued. */
void run_receive(struct run *run, const uint8_t *frame, size_t length);
void run_pump(struct run *run);
/* Go to the event's time plus `ms`; returns early when something is sent, if `until_sent`. */
void run_until(struct run *run, uint32_t ms, bool until_sent);
/* A line of a call, made up. */
void run_words(struct run *run, const char *text);

/* calls.c */
void call_setting(struct run *run, const struct line *line);
void call_open(struct run *run);
void call_run(struct run *run, const struct line *line);
void call_collect(struct run *run); /* what the net has brought to sockets, before the next poll */
void call_close(struct run *run);
const char *call_error_name(int error);
void call_expect_error(struct run *run, const char *name, int got);
/* What follows 'fails', or else success. */
void call_expect_result(struct run *run, const struct line *line, int got);
/* The line's word number `i`. */
uint32_t call_number(struct run *run, const struct line *line, unsigned i);
uint32_t call_seconds(struct run *run, const struct line *line, unsigned i);
/* calls_udp.c; false: another file's. */
bool call_udp(struct run *run, const struct line *line);
bool call_ping(struct run *run, const struct line *line);

/* build.c: the frame that the words describe; its length. */
size_t build_frame(struct run *run, const struct line *line, uint8_t *frame);
/* Bytes of a stream or a payload: the same everywhere. */
uint8_t pattern_byte(uint32_t offset);
uint32_t number_of(struct run *run, const struct fields *fields, const char *key, uint32_t otherwise);
uint32_t address_of(struct run *run, const struct fields *fields, const char *key, uint32_t otherwise);
uint32_t address_in(struct run *run, const char *text);
/* Hexadecimal digits to bytes. */
size_t hex_bytes(struct run *run, const char *text, uint8_t *bytes, size_t room);
void mac_of_host(uint32_t address, uint8_t *mac);

/* build_messages.c: the payload of a UDP datagram. */
size_t build_dhcp(struct run *run, const struct fields *fields, uint8_t *message);
size_t build_dns(struct run *run, const struct fields *fields, uint8_t *message);
size_t build_sntp(struct run *run, const struct fields *fields, uint8_t *message);

/* decode.c: the words for a frame. `conversation`: to which numbers are relative, if it is of that. */
void decode_frame(struct run *run, unsigned conversation, const uint8_t *frame, size_t length,
                  struct decoded *to);
void add_word(struct decoded *to, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void add_address(struct decoded *to, const char *key, uint32_t address);
/* decode_messages.c */
void decode_dhcp(struct run *run, const uint8_t *message, size_t length, struct decoded *to);
void decode_dns(struct run *run, const uint8_t *message, size_t length, struct decoded *to);
void decode_sntp(struct run *run, const uint8_t *message, size_t length, struct decoded *to);

/* match.c: NULL, or in what key the frame differs from what the line expects. */
const char *match_fields(const struct fields *expected, const struct fields *got);
/* As a script would have it. */
void print_fields(const struct fields *fields, char *to, size_t room);

#endif
