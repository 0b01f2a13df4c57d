/*
 * In place of lwIP's heap: heads of as many segments as TCP_SND_QUEUELEN allows (two pbufs each) and two
 * besides; messages of DHCP and DNS.
 */
LWIP_MALLOC_MEMPOOL_START
LWIP_MALLOC_MEMPOOL(10, 80)
LWIP_MALLOC_MEMPOOL(2, 384)
LWIP_MALLOC_MEMPOOL_END
