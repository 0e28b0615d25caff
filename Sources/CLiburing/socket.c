// Calls on sockets.
#define _GNU_SOURCE
#include "CLiburing.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/errqueue.h>
// linux/tcp.h and not netinet/tcp.h: the C library's tcp_info ends before the fields used here.
#include <linux/sockios.h>
#include <linux/tcp.h>

int dtx_socket(int family) { return socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP); }

int dtx_socket_pair(int ends[2]) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

int dtx_local_socket(const char *path, int listening) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(address.sun_path, path);
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  const struct sockaddr *where = (const struct sockaddr *)&address;
  int result = listening ? bind(descriptor, where, sizeof address)
                         : connect(descriptor, where, sizeof address);
  if (result == 0 && listening) result = listen(descriptor, 8);
  if (result == 0) return descriptor;
  int number = errno;
  close(descriptor);
  errno = number;
  return -1;
}

int dtx_peer_user(int descriptor, uint32_t *user) {
  struct ucred peer;
  socklen_t length = sizeof peer;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -1;
  *user = peer.uid;
  return 0;
}

int dtx_bind(int descriptor, const void *address, uint32_t byte_count) {
  return bind(descriptor, address, byte_count);
}

int dtx_connect(int descriptor, const void *address, uint32_t byte_count) {
  return connect(descriptor, address, byte_count);
}

int dtx_accept(int descriptor) { return accept4(descriptor, NULL, NULL, SOCK_CLOEXEC); }

int dtx_address(int descriptor, int peer, void *address, uint32_t capacity) {
  struct sockaddr_storage found;
  socklen_t length = sizeof found;
  int result = peer ? getpeername(descriptor, (struct sockaddr *)&found, &length)
                    : getsockname(descriptor, (struct sockaddr *)&found, &length);
  if (result < 0) return -1;
  if (length > capacity) {
    errno = EAFNOSUPPORT;
    return -1;
  }
  memcpy(address, &found, length);
  return (int)length;
}

static const struct { int level, name; } options[] = {
  [DTX_REUSE_ADDRESS] = {SOL_SOCKET, SO_REUSEADDR},
  [DTX_ONLY_V6] = {IPPROTO_IPV6, IPV6_V6ONLY},
  [DTX_LATE_PORT] = {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT},
  [DTX_NO_DELAY] = {IPPROTO_TCP, TCP_NODELAY},
  [DTX_KEEP_ALIVE] = {SOL_SOCKET, SO_KEEPALIVE},
  [DTX_USER_TIMEOUT] = {IPPROTO_TCP, TCP_USER_TIMEOUT},
  [DTX_SEND_BUFFER] = {SOL_SOCKET, SO_SNDBUF},
  [DTX_RECEIVE_BUFFER] = {SOL_SOCKET, SO_RCVBUF},
  [DTX_SERVICE_V4] = {IPPROTO_IP, IP_TOS},
  [DTX_SERVICE_V6] = {IPPROTO_IPV6, IPV6_TCLASS},
  [DTX_PENDING_ERROR] = {SOL_SOCKET, SO_ERROR},
};

int dtx_set_option(int descriptor, enum dtx_option option, int value) {
  return setsockopt(
      descriptor, options[option].level, options[option].name, &value, sizeof value);
}

int dtx_get_option(int descriptor, enum dtx_option option, int *value) {
  socklen_t length = sizeof *value;
  return getsockopt(descriptor, options[option].level, options[option].name, value, &length);
}

int dtx_set_timeout(int descriptor, int sending, uint64_t nanoseconds) {
  // Rounded up: a timeval of zero would mean to wait without end.
  uint64_t microseconds = nanoseconds / 1000 + (nanoseconds % 1000 != 0);
  struct timeval limit = {
    .tv_sec = (time_t)(microseconds / 1000000),
    .tv_usec = (suseconds_t)(microseconds % 1000000),
  };
  int name = sending ? SO_SNDTIMEO : SO_RCVTIMEO;
  return setsockopt(descriptor, SOL_SOCKET, name, &limit, sizeof limit);
}

int dtx_bind_interface(int descriptor, const char *name) {
  return setsockopt(
      descriptor, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)(strlen(name) + 1));
}

int dtx_bound_interface(int descriptor, char *name, size_t capacity) {
  socklen_t length = (socklen_t)capacity - 1;
  if (getsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, name, &length) < 0) return -1;
  name[length] = 0;
  return 0;
}

int dtx_set_congestion_control(int descriptor, const char *name) {
  return setsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name));
}

int dtx_get_congestion_control(int descriptor, char *name, size_t capacity) {
  socklen_t length = (socklen_t)capacity - 1;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, name, &length) < 0) return -1;
  name[length] = 0;
  return 0;
}

int dtx_set_pacing_rate(int descriptor, uint64_t bytes_per_second) {
  return setsockopt(
      descriptor, SOL_SOCKET, SO_MAX_PACING_RATE, &bytes_per_second, sizeof bytes_per_second);
}

int dtx_get_pacing_rate(int descriptor, uint64_t *bytes_per_second) {
  // A kernel that answers with 32 bits fills the low half of a little-endian number only.
  uint64_t rate = 0;
  socklen_t length = sizeof rate;
  if (getsockopt(descriptor, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &length) < 0) return -1;
  if (length == sizeof(uint32_t)) {
    uint32_t narrow;
    memcpy(&narrow, &rate, sizeof narrow);
    rate = narrow == UINT32_MAX ? UINT64_MAX : narrow;
  }
  *bytes_per_second = rate;
  return 0;
}

int dtx_tcp_info(int descriptor, struct dtx_tcp_info *info) {
  // An older kernel fills less; the rest stays zero.
  struct tcp_info found = {0};
  socklen_t length = sizeof found;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &found, &length) < 0) return -1;
  *info = (struct dtx_tcp_info){
    .round_trip = found.tcpi_rtt,
    .round_trip_variance = found.tcpi_rttvar,
    .minimum_round_trip = found.tcpi_min_rtt,
    .segment_byte_count = found.tcpi_snd_mss,
    .congestion_window = found.tcpi_snd_cwnd,
    .retransmits = found.tcpi_total_retrans,
    .path_mtu = found.tcpi_pmtu,
    .bytes_sent = found.tcpi_bytes_sent,
    .bytes_acked = found.tcpi_bytes_acked,
    .bytes_received = found.tcpi_bytes_received,
    .bytes_retransmitted = found.tcpi_bytes_retrans,
    .busy = found.tcpi_busy_time,
    .receive_window_limited = found.tcpi_rwnd_limited,
    .send_buffer_limited = found.tcpi_sndbuf_limited,
    .delivery_rate = found.tcpi_delivery_rate,
    .pacing_rate = found.tcpi_pacing_rate,
    .unanswered_timeouts = found.tcpi_retransmits,
    .since_answer = found.tcpi_last_ack_recv,
  };
  return 0;
}

int dtx_unacknowledged(int descriptor, int *byte_count) {
  return ioctl(descriptor, SIOCOUTQ, byte_count);
}

ssize_t dtx_send(
    int descriptor, const void *first, size_t first_count, const void *second,
    size_t second_count) {
  struct iovec parts[2] = {
    {(void *)first, first_count},
    {(void *)second, second_count},
  };
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  return sendmsg(descriptor, &message, MSG_NOSIGNAL);
}

int dtx_allow_zero_copy(int descriptor) {
  int on = 1;
  return setsockopt(descriptor, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on);
}

ssize_t dtx_send_zero_copy(int descriptor, const void *bytes, size_t count) {
  return send(descriptor, bytes, count, MSG_NOSIGNAL | MSG_ZEROCOPY);
}

int dtx_take_notification(int descriptor, uint32_t *first, uint32_t *last, int *copied) {
  for (;;) {
    char control[CMSG_SPACE(sizeof(struct sock_extended_err)) + 128];
    struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
      return errno == EAGAIN ? 0 : -1;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
      int is_v4 = part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR;
      int is_v6 = part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR;
      if (!is_v4 && !is_v6) continue;
      struct sock_extended_err word;
      memcpy(&word, CMSG_DATA(part), sizeof word);
      if (word.ee_errno != 0 || word.ee_origin != SO_EE_ORIGIN_ZEROCOPY) continue;
      *first = word.ee_info;
      *last = word.ee_data;
      *copied = (word.ee_code & SO_EE_CODE_ZEROCOPY_COPIED) != 0;
      return 1;
    }
  }
}

ssize_t dtx_receive(int descriptor, void *buffer, size_t capacity) {
  return recv(descriptor, buffer, capacity, 0);
}

ssize_t dtx_receive_whole(
    int descriptor, void *first, size_t first_count, void *second, size_t second_count) {
  struct iovec parts[2] = {{first, first_count}, {second, second_count}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  return recvmsg(descriptor, &message, MSG_WAITALL);
}

int dtx_shutdown(int descriptor, int both) {
  return shutdown(descriptor, both ? SHUT_RDWR : SHUT_WR);
}

int dtx_resolve(
    const char *host, const char *port, int numeric, void *context,
    void (*take)(void *context, const void *address, uint32_t byte_count)) {
  struct addrinfo hints = {
    .ai_family = AF_UNSPEC,
    .ai_socktype = SOCK_STREAM,
    .ai_flags = AI_NUMERICSERV | (numeric ? AI_NUMERICHOST : 0),
  };
  struct addrinfo *list = NULL;
  int result = getaddrinfo(host, port, &hints, &list);
  if (result != 0) return result;
  for (struct addrinfo *one = list; one; one = one->ai_next)
    if (one->ai_family == AF_INET || one->ai_family == AF_INET6)
      take(context, one->ai_addr, one->ai_addrlen);
  freeaddrinfo(list);
  return 0;
}

int dtx_numeric_host(const void *address, uint32_t byte_count, char *text, size_t capacity) {
  return getnameinfo(
      address, byte_count, text, (socklen_t)capacity, NULL, 0, NI_NUMERICHOST);
}
