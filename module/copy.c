/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "copy.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"

extern const knotd_mod_api_t knotd_mod_api;

/*! File names of the objects that are loaded. */
typedef struct {
	char **files;
	size_t count;
} objects_t;

static int note_object(struct dl_phdr_info *object, size_t size, void *ctx)
{
	(void)size;
	objects_t *objects = ctx;
	if (object->dlpi_name == NULL || object->dlpi_name[0] == '\0') {
		return 0;
	}
	char **files = realloc(objects->files, (objects->count + 1) * sizeof(*files));
	if (files == NULL) {
		return 1;
	}
	objects->files = files;
	files[objects->count] = strdup(object->dlpi_name);
	if (files[objects->count] == NULL) {
		return 1;
	}
	objects->count++;
	return 0;
}

/*! Says whether a loaded object is a mod-mail, but not this one. */
static bool is_copy(const char *file)
{
	// Found by its name among those that are loaded, whatever has become of the file since.
	void *object = dlopen(file, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
	if (object == NULL) {
		return false;
	}
	const knotd_mod_api_t *api = dlsym(object, "knotd_mod_api");
	bool copy = api != NULL && api != &knotd_mod_api && api->name != NULL &&
	            strcmp(api->name, knotd_mod_api.name) == 0;
	(void)dlclose(object);
	return copy;
}

bool mail_copy_find(char *file, size_t size)
{
	// In two steps: nothing may be opened while the list is walked.
	objects_t objects = { 0 };
	(void)dl_iterate_phdr(note_object, &objects);

	bool found = false;
	for (size_t i = 0; i < objects.count; i++) {
		if (!found && is_copy(objects.files[i])) {
			found = true;
			(void)snprintf(file, size, "%s", objects.files[i]);
		}
		free(objects.files[i]);
	}
	free(objects.files);
	return found;
}
