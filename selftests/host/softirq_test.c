// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users of the FPU in softirqs, on top of a vCPU's thread: encrypted datagrams (IPsec with
 * AES-GCM by AES-NI) that another CPU sends are decrypted on the guest's CPU, in the
 * interrupts that end its stays. The guest's vector register and the thread's must be
 * theirs afterwards, and every datagram must arrive as it was sent.
 *
 * Needs two CPUs, and the modules xfrm_user, esp4, seqiv, drbg, sha512_generic, aesni_intel.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <sys/socket.h>

#include "mvm_harness.h"
#include "look.h"

#define PORT	 5555
#define SPI	 0x1000
#define REQID	 1
#define LENGTH	 1000
#define LOOPBACK "/proc/sys/net/ipv4/conf/lo/"

/* A netlink message with one attribute behind its fixed part. */
struct message {
	struct nlmsghdr head;
	char data[1024];
};

static void *fixed_part(struct message *msg, uint16_t type, size_t size)
{
	memset(msg, 0, sizeof(*msg));
	msg->head.nlmsg_type = type;
	msg->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	msg->head.nlmsg_len = NLMSG_LENGTH(size);
	return msg->data;
}

static void *attribute(struct message *msg, uint16_t type, size_t size)
{
	struct rtattr *attr = (void *)((char *)msg + NLMSG_ALIGN(msg->head.nlmsg_len));

	attr->rta_type = type;
	attr->rta_len = RTA_LENGTH(size);
	msg->head.nlmsg_len = NLMSG_ALIGN(msg->head.nlmsg_len) + RTA_ALIGN(attr->rta_len);
	return RTA_DATA(attr);
}

/* Its answer: 0 or -errno. */
static int ask_kernel(struct message *msg)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM), ret = -EPROTO;
	struct {
		struct nlmsghdr head;
		struct nlmsgerr err;
		char copy[1024];
	} answer;

	if (fd < 0)
		return -errno;
	if (send(fd, msg, msg->head.nlmsg_len, 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 0)
		ret = -errno;
	else if (answer.head.nlmsg_type == NLMSG_ERROR)
		ret = answer.err.error;
	close(fd);
	return ret;
}

static void no_limits(struct xfrm_lifetime_cfg *lft)
{
	lft->soft_byte_limit = XFRM_INF;
	lft->hard_byte_limit = XFRM_INF;
	lft->soft_packet_limit = XFRM_INF;
	lft->hard_packet_limit = XFRM_INF;
}

/* One key for what this host sends itself. */
static int add_state(void)
{
	struct message msg;
	struct xfrm_usersa_info *sa = fixed_part(&msg, XFRM_MSG_NEWSA, sizeof(*sa));
	struct xfrm_algo_aead *alg = attribute(&msg, XFRMA_ALG_AEAD, sizeof(*alg) + 20);

	sa->family = AF_INET;
	sa->sel.family = AF_INET;
	sa->saddr.a4 = htonl(INADDR_LOOPBACK);
	sa->id.daddr.a4 = htonl(INADDR_LOOPBACK);
	sa->id.spi = htonl(SPI);
	sa->id.proto = IPPROTO_ESP;
	sa->mode = XFRM_MODE_TRANSPORT;
	sa->reqid = REQID;
	no_limits(&sa->lft);
	strcpy(alg->alg_name, "rfc4106(gcm(aes))");
	alg->alg_key_len = 160;
	alg->alg_icv_len = 128;
	memset(alg->alg_key, 0x5a, 20);
	return ask_kernel(&msg);
}

static int add_policy(void)
{
	struct message msg;
	struct xfrm_userpolicy_info *policy = fixed_part(&msg, XFRM_MSG_NEWPOLICY, sizeof(*policy));
	struct xfrm_user_tmpl *tmpl = attribute(&msg, XFRMA_TMPL, sizeof(*tmpl));

	policy->sel.family = AF_INET;
	policy->sel.daddr.a4 = htonl(INADDR_LOOPBACK);
	policy->sel.saddr.a4 = htonl(INADDR_LOOPBACK);
	policy->sel.prefixlen_d = 32;
	policy->sel.prefixlen_s = 32;
	policy->sel.proto = IPPROTO_UDP;
	policy->sel.dport = htons(PORT);
	policy->sel.dport_mask = 0xffff;
	policy->dir = XFRM_POLICY_OUT;
	no_limits(&policy->lft);
	tmpl->family = AF_INET;
	tmpl->saddr.a4 = htonl(INADDR_LOOPBACK);
	tmpl->id.daddr.a4 = htonl(INADDR_LOOPBACK);
	tmpl->id.proto = IPPROTO_ESP;
	tmpl->reqid = REQID;
	tmpl->mode = XFRM_MODE_TRANSPORT;
	tmpl->aalgos = ~0;
	tmpl->ealgos = ~0;
	tmpl->calgos = ~0;
	return ask_kernel(&msg);
}

static void forget_all(void)
{
	struct message msg;
	struct xfrm_usersa_flush *flush = fixed_part(&msg, XFRM_MSG_FLUSHSA, sizeof(*flush));

	flush->proto = IPPROTO_ESP;
	ask_kernel(&msg);
	fixed_part(&msg, XFRM_MSG_FLUSHPOLICY, 0);
	ask_kernel(&msg);
}

/* What the guest's CPU has received in softirqs. */
static long received(void)
{
	return cpu_count("/proc/softirqs", "NET_RX", 0);
}

FIXTURE(softirq) {
	struct runner runner;
	struct sockaddr_in here;
	int from, to;
};

FIXTURE_SETUP(softirq)
{
	struct timeval second = { .tv_sec = 10 };
	char guests_cpu[9]; /* as a mask */
	int ret;

	if (nr_cpus() < 2)
		MVM_SKIP("one CPU: nobody sends while the guest runs");
	/* Some of the kernel's own tests of what is loaded here fail in an emulator. */
	write_file("/sys/module/cryptomgr/parameters/notests", "Y");
	if (shell("grep -qw aes /proc/cpuinfo") || shell("modprobe aesni_intel") ||
	    shell("modprobe xfrm_user") || shell("modprobe esp4") || shell("modprobe seqiv"))
		MVM_SKIP("no AES-NI, or this host has no modules for IPsec");
	shell("modprobe sha512_generic; modprobe drbg"); /* what makes the sequence numbers' salt */
	/* lo is exempt unless told otherwise; and what it receives goes to the guest's CPU. */
	ASSERT_EQ(0, write_file(LOOPBACK "disable_xfrm", "0"));
	ASSERT_EQ(0, write_file(LOOPBACK "disable_policy", "0"));
	snprintf(guests_cpu, sizeof(guests_cpu), "%x", 1 << host_cpu(0));
	ASSERT_EQ(0, write_file("/sys/class/net/lo/queues/rx-0/rps_cpus", guests_cpu));
	ret = add_state();
	if (ret == -ENOENT)
		MVM_SKIP("this host's kernel has no AES-GCM for IPsec");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, add_policy());
	self->here = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(PORT),
					   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	self->to = socket(AF_INET, SOCK_DGRAM, 0);
	self->from = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(0, bind(self->to, (void *)&self->here, sizeof(self->here)));
	ASSERT_EQ(0, setsockopt(self->to, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)));
	ret = look_create(&self->runner, NULL, 0x11112100);
	if (ret == -ENODEV)
		MVM_SKIP("%s", self->runner.vm.why);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, bind_cpu(1));
	ASSERT_EQ(0, runner_start(&self->runner, 0));
	ASSERT_TRUE(runner_wait(&self->runner, 2, 60));
}

FIXTURE_TEARDOWN(softirq)
{
	forget_all();
	runner_destroy(&self->runner);
	close(self->from);
	close(self->to);
	write_file("/sys/class/net/lo/queues/rx-0/rps_cpus", "0");
}

TEST_F_TIMEOUT(softirq, the_guests_and_the_threads_vectors_survive_encryption, 120)
{
	int i, k, n = getenv("MINIVMM_LONG") ? 20000 : 300;
	long before = received();
	unsigned char out[LENGTH], in[LENGTH];

	EXPECT_EQ(0, shell("grep -q rfc4106-gcm-aesni /proc/crypto"));
	for (i = 0; i < n; i++) {
		memset(out, i, sizeof(out));
		ASSERT_EQ(LENGTH, sendto(self->from, out, LENGTH, 0, (void *)&self->here,
					 sizeof(self->here)));
		ASSERT_EQ(LENGTH, recv(self->to, in, LENGTH, 0)) {
			TH_LOG("datagram %d did not arrive", i);
		}
		for (k = 0; k < LENGTH && in[k] == out[k]; k++)
			;
		ASSERT_EQ(LENGTH, k);
	}
	EXPECT_EQ(0, runner_stop(&self->runner));
	EXPECT_TRUE(look_memory_is(&self->runner, 0x11112100));
	EXPECT_LE(before + n, received());
}

MVM_HARNESS_MAIN
