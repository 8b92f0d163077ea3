/** The data of a local store: tables, records, indexes and the expiry wheel. Not for users. */
package io.kvorum.core.engine;
