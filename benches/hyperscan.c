/* Hyperscan over the needles of the rules: a peer of the scan, built by `cargo bench --bench logs` where its headers are
 * installed. Takes a file with a needle a line and a log; prints the seconds of the best of three passes and the hits. */
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 100000, LONGEST = 4096 };

static unsigned long hits;

static int found(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context) {
    (void)id, (void)from, (void)to, (void)flags, (void)context;
    hits++;
    return 0;
}

static char *whole(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*size + 1);
    if (text && fread(text, 1, *size, file) != *size) text = NULL;
    fclose(file);
    return text;
}

int main(int count, char **arguments) {
    static const char *needles[MOST];
    static unsigned flags[MOST], ids[MOST];
    static size_t lengths[MOST];
    size_t size = 0, listed = 0;
    if (count != 3) return 2;
    char *list = whole(arguments[1], &listed);
    char *log = whole(arguments[2], &size);
    if (!list || !log) return 2;
    list[listed] = 0;
    unsigned known = 0;
    for (char *needle = strtok(list, "\n"); needle && known < MOST; needle = strtok(NULL, "\n")) {
        needles[known] = needle, lengths[known] = strlen(needle), flags[known] = 0, ids[known] = known;
        known++;
    }
    hs_database_t *database = NULL;
    hs_compile_error_t *error = NULL;
    hs_scratch_t *scratch = NULL;
    if (hs_compile_lit_multi(needles, flags, ids, lengths, known, HS_MODE_BLOCK, NULL, &database, &error)) return 3;
    if (hs_alloc_scratch(database, &scratch)) return 3;
    double best = 1e9;
    for (int turn = 0; turn < 3; turn++) {
        struct timespec start, end;
        hits = 0;
        clock_gettime(CLOCK_MONOTONIC, &start);
        if (hs_scan(database, log, (unsigned)size, 0, scratch, found, NULL)) return 3;
        clock_gettime(CLOCK_MONOTONIC, &end);
        double took = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
        best = took < best ? took : best;
    }
    printf("%.9f %lu\n", best, hits);
    return 0;
}
