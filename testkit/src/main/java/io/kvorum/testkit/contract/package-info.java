/**
 * What implementers of an interface of Kvorum must do, as abstract JUnit classes: extend the one for your interface,
 * and fill in what it asks for.
 *
 * <pre>{@code
 * final class MyPromiseStoreTest extends PromiseStoreContract {
 *     @TempDir
 *     Path directory;
 *
 *     @Override
 *     protected PromiseStore open() {
 *         return new MyPromiseStore(directory);
 *     }
 * }
 * }</pre>
 *
 * <table>
 *   <caption>The contracts</caption>
 *   <tr><th>contract</th><th>of</th></tr>
 *   <tr><td>{@link io.kvorum.testkit.contract.KeyValueStoreContract}</td>
 *       <td>{@link io.kvorum.core.KeyValueStore}</td></tr>
 *   <tr><td>{@link io.kvorum.testkit.contract.KeyOperationsContract}</td>
 *       <td>{@link io.kvorum.core.KeyOperations}; a part of the one before</td></tr>
 *   <tr><td>{@link io.kvorum.testkit.contract.ReplicatedStateContract}</td>
 *       <td>{@link io.kvorum.replication.ReplicatedState}</td></tr>
 *   <tr><td>{@link io.kvorum.testkit.contract.PromiseStoreContract}</td>
 *       <td>{@link io.kvorum.replication.PromiseStore}</td></tr>
 *   <tr><td>{@link io.kvorum.testkit.contract.TransportContract}</td>
 *       <td>{@link io.kvorum.replication.Transport}</td></tr>
 *   <tr><td>{@link io.kvorum.testkit.contract.NodeGatewayContract}</td>
 *       <td>{@link io.kvorum.failover.NodeGateway}, with the nodes behind it</td></tr>
 *   <tr><td>{@link io.kvorum.testkit.contract.SentinelStateStoreContract}</td>
 *       <td>{@link io.kvorum.failover.SentinelStateStore}</td></tr>
 * </table>
 *
 * <p>A test that an implementation cannot meet is overridden in the subclass, where the reason is said. What a contract
 * gains in later versions, implementers hear of from their build.
 *
 * <p>This package needs {@code junit-jupiter-api}, which the testkit does not bring.
 */
package io.kvorum.testkit.contract;
