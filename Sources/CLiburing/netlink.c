// Questions to the kernel about routes and queues: rtnetlink(7).
#define _GNU_SOURCE
#include "CLiburing.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int ask(const void *request, size_t length) {
  int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (descriptor < 0) return -1;
  if (send(descriptor, request, length, 0) == (ssize_t)length) return descriptor;
  int number = errno;
  close(descriptor);
  errno = number;
  return -1;
}

static void add(struct nlmsghdr *header, int type, const void *value, size_t length) {
  struct rtattr *attribute =
      (struct rtattr *)((char *)header + NLMSG_ALIGN(header->nlmsg_len));
  attribute->rta_type = (unsigned short)type;
  attribute->rta_len = (unsigned short)RTA_LENGTH(length);
  memcpy(RTA_DATA(attribute), value, length);
  header->nlmsg_len = NLMSG_ALIGN(header->nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

// The bytes of an address, without port.
static const void *digits(const struct sockaddr *address, size_t *length) {
  if (address->sa_family == AF_INET6) {
    *length = 16;
    return &((const struct sockaddr_in6 *)address)->sin6_addr;
  }
  *length = 4;
  return &((const struct sockaddr_in *)address)->sin_addr;
}

// The device of an answer to RTM_GETROUTE.
static int device_of(const struct nlmsghdr *header, ssize_t count) {
  if (!NLMSG_OK(header, (unsigned)count) || header->nlmsg_type != RTM_NEWROUTE) return -1;
  const struct rtmsg *route = NLMSG_DATA(header);
  int rest = (int)RTM_PAYLOAD(header);
  for (const struct rtattr *one = RTM_RTA(route); RTA_OK(one, rest); one = RTA_NEXT(one, rest)) {
    int index;
    if (one->rta_type != RTA_OIF) continue;
    memcpy(&index, RTA_DATA(one), sizeof index);
    return index;
  }
  return -1;
}

int dtx_route_device(
    const void *to, const void *from, const char *bound, int service, char *name) {
  struct {
    struct nlmsghdr header;
    struct rtmsg route;
    char attributes[96];
  } request = {
    .header = {
      .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
      .nlmsg_type = RTM_GETROUTE,
      .nlmsg_flags = NLM_F_REQUEST,
    },
  };
  size_t length;
  const void *bytes = digits(to, &length);
  request.route.rtm_family = (unsigned char)((const struct sockaddr *)to)->sa_family;
  request.route.rtm_dst_len = (unsigned char)(8 * length);
  // A route looks at the four bits of RFC 1349 alone, and refuses others.
  if (length == 4) request.route.rtm_tos = (unsigned char)(service & 0x1c);
  add(&request.header, RTA_DST, bytes, length);
  bytes = digits(from, &length);
  request.route.rtm_src_len = (unsigned char)(8 * length);
  add(&request.header, RTA_SRC, bytes, length);
  if (bound) {
    int index = (int)if_nametoindex(bound);
    add(&request.header, RTA_OIF, &index, sizeof index);
  }
  int descriptor = ask(&request, request.header.nlmsg_len);
  if (descriptor < 0) return -1;
  _Alignas(struct nlmsghdr) char answer[4096];
  ssize_t count = recv(descriptor, answer, sizeof answer, 0);
  close(descriptor);
  int index = count < 0 ? -1 : device_of((const struct nlmsghdr *)answer, count);
  if (index <= 0 || !if_indextoname((unsigned)index, name)) {
    errno = ENODEV;
    return -1;
  }
  return index;
}

ssize_t dtx_queue_dump(int classes, int device, void *buffer, size_t capacity) {
  struct {
    struct nlmsghdr header;
    struct tcmsg about;
  } request = {
    .header = {
      .nlmsg_len = sizeof request,
      .nlmsg_type = classes ? RTM_GETTCLASS : RTM_GETQDISC,
      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
    },
    .about = {.tcm_family = AF_UNSPEC, .tcm_ifindex = device},
  };
  int descriptor = ask(&request, sizeof request);
  if (descriptor < 0) return -1;
  size_t filled = 0;
  while (1) {
    // With MSG_TRUNC the answer's own length comes back, however little of it fits.
    ssize_t count = recv(descriptor, (char *)buffer + filled, capacity - filled, MSG_TRUNC);
    int number = count < 0 ? errno : (size_t)count > capacity - filled ? EMSGSIZE : 0;
    const struct nlmsghdr *header = (const struct nlmsghdr *)((char *)buffer + filled);
    unsigned rest = (unsigned)count;
    int is_done = count == 0;
    for (; !number && NLMSG_OK(header, rest); header = NLMSG_NEXT(header, rest))
      if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) is_done = 1;
    if (!number) filled += (size_t)count;
    if (!number && !is_done) continue;
    close(descriptor);
    errno = number;
    return number ? -1 : (ssize_t)filled;
  }
}
