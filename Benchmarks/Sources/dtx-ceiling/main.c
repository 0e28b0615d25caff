#include "ceiling.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void die(const char *what) {
  perror(what);
  _exit(1);
}

static const char usage[] =
    "usage: dtx-ceiling [options] SOURCE TARGET\n"
    "\n"
    "Moves the files of the directory SOURCE into the new directory TARGET, over loopback.\n"
    "\n"
    "  -s, --sealed           seal the records with AES-256-GCM\n"
    "  -c, --connections N    TCP connections (default: 2)\n"
    "  -u, --unit KIB         most that is written at once (default: 1024)\n"
    "  -b, --buffer KIB       socket buffers, 0 for the kernel's (default: 64)\n"
    "  -r, --run MIB          of a file, in order on one connection (default: 16)\n"
    "  -v, --verbose          print the seconds that it took\n";

static long number(const char *text, long least, long most) {
  char *end;
  long value = strtol(text, &end, 10);
  if (*end || value < least || value > most) {
    fprintf(stderr, "dtx-ceiling: %s is not between %ld and %ld\n", text, least, most);
    exit(64);
  }
  return value;
}

static bool verbose;

static struct options parse(int count, char **arguments) {
  struct options options = {
      .connections = 2, .unit = 1 << 20, .socket_buffer = 64 << 10, .run = 16 << 20};
  static const struct option names[] = {
      {"sealed", no_argument, NULL, 's'},        {"connections", required_argument, NULL, 'c'},
      {"unit", required_argument, NULL, 'u'},    {"buffer", required_argument, NULL, 'b'},
      {"run", required_argument, NULL, 'r'},     {"verbose", no_argument, NULL, 'v'},
      {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
  int letter;
  while ((letter = getopt_long(count, arguments, "sc:u:b:r:vh", names, NULL)) != -1) {
    switch (letter) {
      case 's': options.sealed = true; break;
      case 'c': options.connections = (int)number(optarg, 1, 64); break;
      case 'u': options.unit = (size_t)number(optarg, 256, 65536) << 10; break;
      case 'b': options.socket_buffer = (int)number(optarg, 0, 1 << 20) << 10; break;
      case 'r': options.run = (uint64_t)number(optarg, 1, 1 << 20) << 20; break;
      case 'v': verbose = true; break;
      case 'h': fputs(usage, stdout); exit(0);
      default: fputs(usage, stderr); exit(64);
    }
  }
  options.unit -= options.unit % RECORD_BYTES;
  if (count - optind != 2) {
    fputs(usage, stderr);
    exit(64);
  }
  options.source = arguments[optind];
  options.target = arguments[optind + 1];
  return options;
}

static void set_buffers(int socket, int bytes) {
  if (!bytes) return;
  setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

int main(int count, char **arguments) {
  struct options options = parse(count, arguments);
  struct timespec began, ended;
  clock_gettime(CLOCK_MONOTONIC, &began);
  struct tree tree = read_tree(&options);

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  set_buffers(listener, options.socket_buffer);
  if (bind(listener, (struct sockaddr *)&address, length)) die("bind");
  if (listen(listener, options.connections)) die("listen");
  if (getsockname(listener, (struct sockaddr *)&address, &length)) die("getsockname");

  int sockets[options.connections];
  pid_t receiver = fork();
  if (receiver < 0) die("fork");
  if (receiver == 0) {
    for (int index = 0; index < options.connections; index++) {
      sockets[index] = accept(listener, NULL, NULL);
      if (sockets[index] < 0) die("accept");
    }
    receive_tree(&options, &tree, sockets);
    _exit(0);
  }
  for (int index = 0; index < options.connections; index++) {
    sockets[index] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    set_buffers(sockets[index], options.socket_buffer);
    int yes = 1;
    setsockopt(sockets[index], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(sockets[index], (struct sockaddr *)&address, length)) die("connect");
  }
  close(listener);
  send_tree(&options, &tree, sockets);
  int status;
  if (waitpid(receiver, &status, 0) != receiver) die("waitpid");
  clock_gettime(CLOCK_MONOTONIC, &ended);
  if (!WIFEXITED(status) || WEXITSTATUS(status)) {
    fputs("dtx-ceiling: the receiver failed\n", stderr);
    return 1;
  }
  if (verbose) {
    double seconds = (double)(ended.tv_sec - began.tv_sec) +
                     (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
    printf("%.3f s\n", seconds);
  }
  return 0;
}
